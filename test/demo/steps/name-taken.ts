import type { Sighting } from "../live-view.js";
import { screen, whole } from "../screen.js";
import { isGone, isThere } from "../services.js";
import { readyAre } from "../slices.js";
import { typeStatus } from "../stage.js";
import type { Step } from "./step.js";

export const nameTaken: Step = {
  title: "A name that is taken is refused, and had as soon as it is free",

  async play({ source, destination, replicas }) {
    const begin = performance.now();
    await destination.type("create", "service", "clusterip", "search", "--tcp=9200");
    await source.type("create", "service", "clusterip", "search", "--tcp=80");
    await source.type("label", "service", "search", "sync=true");
    await source.sees.events.first(
      "the Event about search",
      begin,
      isAbout("search", "NameConflict"),
    );
    await source.type("get", "events", "--field-selector", "involvedObject.name=search");
    await typeStatus(await replicas.leader());
    const freeing = performance.now();
    await destination.type("delete", "service", "search");
    const gone = await destination.sees.services.first("search to go", freeing, isGone("search"));
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
    screen.note(
      `its mirror took the name ${whole(mirror.atMs - gone.atMs)} after the owner had left it`,
    );
  },
};

function isAbout(service: string, reason: string) {
  return ({ object }: Sighting): boolean => {
    const about = object["involvedObject"] as { readonly name: string };
    return about.name === service && object["reason"] === reason;
  };
}
