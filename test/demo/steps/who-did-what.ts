import { waitFor } from "../../harness/wait-for.js";
import { screen } from "../screen.js";
import { isThere } from "../services.js";
import type { Step } from "./step.js";

const CHANGE_ID = "svc-ferry.io/change-id";

export const whoDidWhat: Step = {
  title: "Who did what: one change from kubectl to the other cluster, asked of a follower",

  async play({ source, destination, replicas }) {
    replicas.ask(await replicas.followers());
    const begin = performance.now();
    await source.type(
      "label",
      "service",
      "cart",
      "tier=gold",
      "--as=ann",
      "--as-group=system:masters",
    );
    const stamped = await source.sees.services.first(
      "the stamp",
      begin,
      (one) => isThere("cart")(one) && one.object.metadata.labels?.["tier"] === "gold",
    );
    const id = stamped.object.metadata.annotations?.[CHANGE_ID] ?? "no id";
    await destination.sees.services.first(
      "the mirror with the change",
      begin,
      (one) => isThere("cart")(one) && one.object.metadata.annotations?.[CHANGE_ID] === id,
    );
    await source.type("get", "service", "cart", "-o", "jsonpath={.metadata.annotations}");
    const lines = await waitFor(
      () => {
        const found = replicas.log().filter((line) => line.includes(`changeId=${id}`));
        return ["admitted", "queued", "applied"].every((stage) =>
          found.some((line) => line.includes(`outcome=${stage}`)),
        )
          ? found
          : undefined;
      },
      { what: "the three stages in the logs" },
    );
    screen.typed(
      `kubectl -n k8s-sync logs -l app.kubernetes.io/name=svc-ferry --prefix | grep ${id}`,
    );
    screen.shown(lines.join("\n"));
    replicas.ask(replicas.alive);
  },
};
