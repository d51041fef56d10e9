import { screen, whole } from "../screen.js";
import { isGone, isThere } from "../services.js";
import { readyAre } from "../slices.js";
import { typeStatus } from "../stage.js";
import type { Step } from "./step.js";

export const nameTaken: Step = {
  title: "A name that is taken is refused at kubectl time, with the reason",

  async play({ source, destination, replicas }) {
    await destination.type("create", "service", "clusterip", "search", "--tcp=9200");
    await source.type("create", "service", "clusterip", "search", "--tcp=80");
    const said = await source.typeRefused("label", "service", "search", "sync=true");
    if (!said.includes("(name-occupied)")) throw new Error("it was refused for another reason");
    await typeStatus(await replicas.leader());
    const freeing = performance.now();
    await destination.type("delete", "service", "search");
    const gone = await destination.sees.services.first("search to go", freeing, isGone("search"));
    await source.type("label", "service", "search", "sync=true");
    const mirror = await destination.sees.services.first(
      "the mirror of search",
      gone.atMs,
      isThere("search"),
    );
    // With its slice it is complete; the next step kills the leader.
    await destination.sees.slices.first("the slice of search", gone.atMs, readyAre("search", []));
    if (mirror.object.metadata.labels?.["svc-ferry.io/link"] === undefined) {
      throw new Error("search is not our mirror");
    }
    screen.note(`free again, it is had: ${whole(mirror.atMs - gone.atMs)} later, kubectl included`);
  },
};
