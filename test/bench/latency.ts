import { setTimeout as sleep } from "node:timers/promises";
import { type Bed, FERRY_LABEL, RAW_LABEL } from "./bed.js";
import type { Counts } from "./counts.js";
import { side } from "./labelled-side.js";
import { ratioRow, type Row } from "./row.js";
import { percentile } from "./statistics.js";

/** Between two labels: what the one before set in motion beside the mirror (an Event) is over by then. */
const PAUSE_MS = 30;
/** The first ones open connections and compile code; a process that runs for months does that once. */
const WARM_UP = 20;

/**
 * One label at a time, from the send of the PATCH to the mirror's appearance in a watch of the destination. Both run all
 * the time on namespaces of their own and take turns, first the one, then the other first, so that noise hits both.
 */
export async function latency(bed: Bed, { rounds }: Counts): Promise<readonly Row[]> {
  const raw = await side(bed, "bench-latency-raw", RAW_LABEL, rounds + WARM_UP);
  const ferry = await side(bed, "bench-latency-ferry", FERRY_LABEL, rounds + WARM_UP);
  const writer = await bed.rawWriter("bench-latency-raw");
  const replica = bed.ferry("bench-latency-ferry");
  await replica.idle();
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const order = round % 2 === 0 ? [raw, ferry] : [ferry, raw];
    for (const one of order) {
      await one.label(round);
      await sleep(PAUSE_MS);
    }
  }
  await Promise.all([writer.stop(0), replica.stop()]);
  const rows = [
    { what: "label → stored, p50", fraction: 0.5, limit: 1.3 },
    { what: "label → stored, p99", fraction: 0.99, limit: 2 },
  ];
  return rows.map(({ what, fraction, limit }) => {
    const bare = percentile(raw.tookMs.slice(WARM_UP), fraction);
    const ours = percentile(ferry.tookMs.slice(WARM_UP), fraction);
    return ratioRow({ part: "latency", what, unit: "ms" }, { bare, ferry: ours }, limit);
  });
}
