import { setTimeout as sleep } from "node:timers/promises";
import type { Bed } from "./bed.js";
import type { Counts } from "./counts.js";
import { limitRow, type Row } from "./row.js";
import { median } from "./statistics.js";

/** Starts; the first one alone finds nothing of the bundle in the page cache. */
const STARTS = 5;
const SAMPLE_EVERY_MS = 500;

/** What a replica costs that has nothing to do. */
export async function start(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  const namespace = await bed.namespace("bench-start");
  const readyMs: number[] = [];
  const rssMiB: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const replica = bed.ferry(namespace);
    readyMs.push(await replica.ready());
    await replica.idle();
    if (round === STARTS - 1) rssMiB.push(...(await memory(replica, counts.memorySamples)));
    await replica.stop();
  }
  const part = "start";
  return [
    limitRow({ part, what: "cold start to ready", unit: "ms" }, median(readyMs), 1_500),
    limitRow({ part, what: "RSS with nothing to do", unit: "MiB" }, median(rssMiB), 120),
  ];
}

/** Samples over a while: the memory of a process goes up and down as its garbage is collected. */
export async function memory(
  replica: { rssMiB(): number },
  samples: number,
): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    await sleep(SAMPLE_EVERY_MS);
    taken.push(replica.rssMiB());
  }
  return taken;
}
