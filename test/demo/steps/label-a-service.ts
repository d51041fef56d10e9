import { screen, whole } from "../screen.js";
import { isLabelled, isThere } from "../services.js";
import type { Stage } from "../stage.js";
import type { Step } from "./step.js";

export const labelAService: Step = {
  title: "A label, and the Service is in the other cluster",

  async play(stage) {
    const { source, destination } = stage;
    const begin = performance.now();
    await source.type("create", "service", "clusterip", "web", "--tcp=80:8080");
    await source.type("label", "service", "web", "sync=true");
    const labelled = await source.sees.services.first("the label", begin, isLabelled("web"));
    const mirror = await destination.sees.services.first(
      "the mirror of web",
      begin,
      isThere("web"),
    );
    const took = whole(mirror.atMs - labelled.atMs);
    screen.note(`the mirror was there ${took} after the source had stored the label`);
    await destination.type("get", "service", "web", "--show-labels");
    await labelByRequest(stage);
  },
};

/** kubectl takes a while to start; a request of our own says how long the label itself takes. */
async function labelByRequest({ source, destination }: Stage): Promise<void> {
  const metadata = { name: "cart", namespace: source.namespace, labels: { app: "cart" } };
  const spec = { selector: { app: "cart" }, ports: [{ port: 80, targetPort: 8080 }] };
  await source.cluster.create({ apiVersion: "v1", kind: "Service", metadata, spec });
  const begin = performance.now();
  const labels = { sync: "true" };
  const [mirror] = await Promise.all([
    destination.sees.services.first("the mirror of cart", begin, isThere("cart")),
    source.cluster.patch("Service", source.namespace, "cart", { metadata: { labels } }),
  ]);
  const took = whole(mirror.atMs - begin);
  screen.note(`another, without kubectl: ${took} from sending the label's request to the mirror`);
}
