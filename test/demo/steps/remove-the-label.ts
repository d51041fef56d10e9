import { screen, whole } from "../screen.js";
import { isGone, isThere } from "../services.js";
import { isSliceOf } from "../slices.js";
import type { Step } from "./step.js";

export const removeTheLabel: Step = {
  title: "Without the label there is no mirror",

  async play({ source, destination }) {
    const begin = performance.now();
    await source.type("label", "service", "web", "sync-");
    const unlabelled = await source.sees.services.first(
      "the label to go",
      begin,
      (one) => isThere("web")(one) && one.object.metadata.labels?.["sync"] === undefined,
    );
    const gone = await destination.sees.services.first("the mirror to go", begin, isGone("web"));
    const slice = await destination.sees.slices.first(
      "its slice to go",
      begin,
      ({ kind, object }) => kind === "DELETED" && isSliceOf("web", object),
    );
    const times = [gone, slice].map(({ atMs }) => whole(atMs - unlabelled.atMs));
    screen.note(`the mirror was gone after ${times[0]}, its endpoints after ${times[1]}`);
    await destination.type("get", "services,endpointslices,endpoints");
  },
};
