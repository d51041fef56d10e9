import { screen, whole } from "../screen.js";
import { isLabelled, isThere } from "../services.js";
import type { Step } from "./step.js";

export const takeOver: Step = {
  title: "The leader is killed: another one takes over",

  async play({ source, destination, replicas }) {
    const leader = await replicas.leader();
    const begin = performance.now();
    await replicas.kill(leader);
    replicas.ask(replicas.alive);
    screen.note(`${leader.name} led and got SIGKILL`);
    const successor = replicas.leader().then((next) => ({ next, atMs: performance.now() }));
    await source.type("create", "service", "clusterip", "late", "--tcp=80");
    await source.type("label", "service", "late", "sync=true");
    const labelled = await source.sees.services.first("the label", begin, isLabelled("late"));
    const { next, atMs } = await successor;
    const mirror = await destination.sees.services.first(
      "the mirror of late",
      begin,
      isThere("late"),
    );
    if (labelled.atMs < atMs) screen.note("late was labelled while nobody led");
    screen.note(`${next.name} led ${whole(atMs - begin)} after the kill`);
    screen.note(`the mirror of late was there ${whole(mirror.atMs - begin)} after the kill`);
  },
};
