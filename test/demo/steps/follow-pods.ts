import { screen, whole } from "../screen.js";
import { readyAre } from "../slices.js";
import type { Stage } from "../stage.js";
import type { Step } from "./step.js";

const LABELS = { app: "web" };

export const followPods: Step = {
  title: "Pods come, become unready and go: the endpoints follow",

  async play(stage) {
    const { cluster, namespace } = stage.source;
    const follows = async (what: string, ready: readonly string[], change: () => Promise<void>) =>
      screen.note(`${what.padEnd(27)} ${await followed(stage, what, ready, change)}`);
    await follows("web-1 10.1.0.1 is ready", ["10.1.0.1"], async () =>
      cluster.createPod(namespace, "web-1", LABELS, "10.1.0.1"),
    );
    await follows("web-2 10.1.0.2 is ready", ["10.1.0.1", "10.1.0.2"], async () =>
      cluster.createPod(namespace, "web-2", LABELS, "10.1.0.2"),
    );
    await follows("web-2 is not ready any more", ["10.1.0.1"], async () =>
      cluster.setPodReady(namespace, "web-2", false),
    );
    await follows("web-2 is ready again", ["10.1.0.1", "10.1.0.2"], async () =>
      cluster.setPodReady(namespace, "web-2", true),
    );
    await follows("web-1 is deleted", ["10.1.0.2"], async () =>
      cluster.remove("Pod", namespace, "web-1"),
    );
    await stage.destination.type("get", "endpointslices,endpoints");
  },
};

/** Says where the traffic goes now, and how long it took, the source's own controller included. */
async function followed(
  { destination }: Stage,
  what: string,
  ready: readonly string[],
  change: () => Promise<void>,
): Promise<string> {
  const begin = performance.now();
  await change();
  const fits = readyAre("web", ready);
  const slice = await destination.sees.slices.first(`the slice after ${what}`, begin, fits);
  return `${whole(slice.atMs - begin).padStart(7)}  ${ready.join(", ")}`;
}
