import { setTimeout as sleep } from "node:timers/promises";
import { limitRow, type Row } from "../row.js";
import { percentile } from "../statistics.js";
import { configMap, CONFIG_MAPS } from "./config-maps.js";
import type { MirrorBed } from "./mirror-bed.js";
import type { MirrorCounts } from "./mirror-counts.js";

const part = "mirror-tail";
const PER_SECOND = 1_000;
const MAX_BEHIND_MS = 10;
/** Changes go out in ticks of so many ms. */
const TICK_MS = 5;
const PATIENCE_MS = 60_000;

/**
 * How far behind the destination is at 1,000 changes a second: from the moment at which this process sees a change in a watch of
 * the source to the moment at which it sees it in a watch of the destination. And what a restart without a change writes.
 */
export async function tail(bed: MirrorBed, { changes }: MirrorCounts): Promise<readonly Row[]> {
  return bed.withDestination(async (destination) => {
    const first = bed.mirror(destination.address, ["--max-writes-per-second", "0"]);
    await bed.copyMs(destination);
    await first.tails();
    const behindMs = await measure(bed, destination, changes);
    await first.stop();

    const before = await destination.revision();
    const again = bed.mirror(destination.address);
    await again.tails();
    const written = await destination.writtenSince("/registry/", before);
    await again.stop();
    const at = (what: string): { part: string; what: string; unit: string } => ({
      part,
      what,
      unit: "ms",
    });
    return [
      limitRow(at("tail at 1,000 changes/s, behind the source, p50"), percentile(behindMs, 0.5)),
      limitRow(
        at("tail at 1,000 changes/s, behind the source, p99"),
        percentile(behindMs, 0.99),
        MAX_BEHIND_MS,
      ),
      {
        part,
        what: "data keys written by a restart without a change",
        bare: "",
        ferry: String(written),
        goal: "0",
        reached: written === 0,
      },
    ];
  });
}

async function measure(
  bed: MirrorBed,
  destination: MirrorBed["source"],
  changes: number,
): Promise<readonly number[]> {
  const seenMs = new Map<string, number>();
  const behindMs: number[] = [];
  const id = (key: string, value: Buffer): string =>
    `${key} ${/revision.{2}([0-9]+)/s.exec(value.toString("latin1"))?.[1]}`;
  const watchingSource = await bed.source.watch(CONFIG_MAPS, (key, value) => {
    seenMs.set(id(key, value), performance.now());
  });
  const watchingDestination = await destination.watch(CONFIG_MAPS, (key, value) => {
    const since = seenMs.get(id(key, value));
    // Seen here before it was seen there: both watches are this process's own.
    behindMs.push(since === undefined ? 0 : performance.now() - since);
  });
  await steadily(bed, changes);
  const deadline = performance.now() + PATIENCE_MS;
  while (behindMs.length < changes && performance.now() < deadline) await sleep(20);
  await Promise.all([watchingSource.stop(), watchingDestination.stop()]);
  if (behindMs.length < changes)
    throw new Error(`${changes - behindMs.length} changes did not arrive`);
  return behindMs;
}

async function steadily({ source, keys }: MirrorBed, changes: number): Promise<void> {
  const beganMs = performance.now();
  const sent: Promise<void>[] = [];
  while (sent.length < changes) {
    const due = Math.min(changes, Math.floor(((performance.now() - beganMs) / 1_000) * PER_SECOND));
    while (sent.length < due) {
      const index = sent.length;
      sent.push(source.put(configMap(index % keys, index + 1)));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(sent);
}
