import type { Sighting } from "../live-view.js";
import { waitFor } from "../../harness/wait-for.js";
import type { Scene } from "../scene.js";
import { screen, whole } from "../screen.js";
import { isGone, isThere, specOf } from "../services.js";
import { isSliceOf, readyAre } from "../slices.js";
import type { Step } from "./step.js";

export const healDeleted: Step = {
  title: "Somebody deletes the mirror: a policy refuses; without it the mirror comes back",

  async play({ destination }) {
    await destination.typeRefused("delete", "service", "web");
    await warnOnly(destination);
    const begin = performance.now();
    await destination.type("delete", "service", "web");
    const deleted = await destination.sees.services.first("the deletion", begin, isGone("web"));
    const back = await destination.sees.services.first(
      "web to come back",
      deleted.atMs,
      isThere("web"),
    );
    const { uid } = back.object.metadata;
    const ready = readyAre("web", ["10.1.0.2"]);
    const slice = await destination.sees.slices.first(
      "the slice of the new mirror",
      deleted.atMs,
      (one) => ready(one) && ownerUid(one) === uid,
    );
    const times = [back, slice].map(({ atMs }) => whole(atMs - deleted.atMs));
    screen.note(`the mirror was back after ${times[0]}, its endpoints after ${times[1]}`);
    await destination.type("get", "service,endpointslices", "-l", "svc-ferry.io/link");
  },
};

/** What the policy's own file calls the way out in an emergency. It takes a moment until API servers go by it. */
async function warnOnly(destination: Scene): Promise<void> {
  const patch = JSON.stringify({ spec: { validationActions: ["Warn", "Audit"] } });
  const binding = ["validatingadmissionpolicybinding", "svc-ferry-mirrors"];
  await destination.typeAnywhere(["patch", ...binding, "--type=merge", "-p", patch]);
  const { cluster, namespace } = destination;
  const path = `/api/v1/namespaces/${namespace}/services/web?dryRun=All`;
  await waitFor(async () => (await cluster.request("DELETE", path)).status === 200, {
    what: "the policy to warn only",
  });
}

export const healEdited: Step = {
  title: "Somebody edits the mirror: what is ours is restored, what is theirs stays",

  async play({ destination }) {
    const begin = performance.now();
    await destination.type("annotate", "service", "web", "team=payments");
    await destination.type("patch", "service", "web", "-p", PATCH);
    const edited = await destination.sees.services.first(
      "the edit",
      begin,
      (one) => targetPort(one) === 9999,
    );
    const healed = await destination.sees.services.first(
      "the right port",
      edited.atMs,
      (one) => targetPort(one) === 8080,
    );
    const { annotations, labels } = healed.object.metadata;
    if (annotations?.["team"] !== "payments") throw new Error("the annotation team is gone");
    if (labels?.["app"] !== "web") throw new Error("the label app was not restored");
    screen.note(`port and label were right again after ${whole(healed.atMs - edited.atMs)}`);
    screen.note("the annotation team=payments is still there");
  },
};

/** Wrong in two places at once: the port, and a label that came from the source. */
const PATCH = JSON.stringify({
  metadata: { labels: { app: "something-else" } },
  spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 9999 }] },
});

function targetPort(one: Sighting): number | string | undefined {
  return isThere("web")(one) ? specOf(one).ports?.[0]?.targetPort : undefined;
}

function ownerUid({ object }: Sighting): string | undefined {
  const owners = object.metadata["ownerReferences"] as
    readonly { readonly uid: string }[] | undefined;
  return isSliceOf("web", object) ? owners?.[0]?.uid : undefined;
}
