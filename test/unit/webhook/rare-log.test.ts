import { describe, expect, it } from "vitest";
import { RareLog } from "../../../webhook/rare-log.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";

describe("RareLog", () => {
  it("says the same once in ten seconds, and how often it did not", async () => {
    const clock = new VirtualClock();
    const said: unknown[] = [];
    const log = new RareLog(clock);
    const say = (kind: string) => log.say(kind, (more) => said.push([kind, more]));

    for (const kind of ["a", "a", "b", "a"]) say(kind);
    await clock.advance(10_000);
    say("a");
    say("b");

    expect(said).toEqual([
      ["a", {}],
      ["b", {}],
      ["a", { notLogged: 2 }],
      ["b", {}],
    ]);
  });
});
