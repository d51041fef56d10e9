import { expect, it } from "vitest";
import { watchSides } from "../../../sidecar/watch-sides.js";
import { MirrorBed } from "../../fixtures/mirror-bed.js";

it("tells within seconds that an etcd does not answer any more, and that it does again", async () => {
  const { source, destination, clock } = new MirrorBed();
  const told: string[] = [];
  const stop = new AbortController();
  const over = watchSides(
    {
      source,
      destination,
      clock,
      told: (name, trouble = "fine") => told.push(`${name} ${trouble}`),
    },
    stop.signal,
  );
  await clock.advance(1);
  destination.setOutage(true);
  await clock.advance(5_000);
  destination.setOutage(false);
  await clock.advance(5_000);
  stop.abort();
  await clock.advance(1);
  await over;

  expect(told.filter((one) => one.startsWith("destination"))).toEqual([
    "destination fine",
    "destination unavailable",
    "destination fine",
  ]);
  expect(told.filter((one) => one.startsWith("source"))).toEqual(Array(3).fill("source fine"));
});
