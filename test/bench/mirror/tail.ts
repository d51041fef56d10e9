import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { besideRow, exactRow, ratioRow, type Row } from "../row.js";
import { percentile } from "../statistics.js";
import { configMap, CONFIG_MAPS, type Stored } from "./config-maps.js";
import type { EtcdClient } from "./etcd-client.js";
import type { MirrorBed } from "./mirror-bed.js";
import type { MirrorCounts } from "./mirror-counts.js";

const part = "mirror-tail";
const PER_SECOND = 1_000;
const MAX_BEHIND_MS = 10;
/** Changes go out in ticks of so many ms. */
const TICK_MS = 5;
const PATIENCE_MS = 60_000;
/** Of /proc/<pid>/stat: USER_HZ. */
const MS_PER_TICK = 10;

/** Of one tail, the mirror's or the bare one. */
interface Measured {
  readonly behindMs: readonly number[];
  /** Processor time of the process, user and system, for one change. */
  readonly cpuMicros: number;
}

/**
 * How far behind the destination is at 1,000 changes a second: from the moment at which this process sees a change in a watch of
 * the source to the moment at which it sees it in a watch of the destination. And what a restart without a change writes.
 *
 * The bare tail beside it (bare-tail.ts) is measured in the same way, because this process and two etcds need their share of the
 * machine: it tells what is possible there.
 */
export async function tail(bed: MirrorBed, { changes }: MirrorCounts): Promise<readonly Row[]> {
  const bare = await bed.withDestination((destination) => bareTail(bed, destination, changes));
  return bed.withDestination(async (destination) => {
    const first = bed.mirror(destination.address, ["--max-writes-per-second", "0"]);
    await bed.copyMs(destination);
    await first.tails();
    const ferry = await measure(bed, { destination, pid: first.pid, changes, round: 1 });
    await first.stop();

    const before = await destination.revision();
    const again = bed.mirror(destination.address);
    await again.tails();
    const written = await destination.writtenSince("/registry/", before);
    await again.stop();
    const what = "tail at 1,000 changes/s";
    const [p50, p99] = [0.5, 0.99].map((fraction) => ({
      bare: percentile(bare.behindMs, fraction),
      ferry: percentile(ferry.behindMs, fraction),
    }));
    if (p50 === undefined || p99 === undefined) return [];
    const cpu = { bare: bare.cpuMicros, ferry: ferry.cpuMicros };
    return [
      ratioRow({ part, what: `${what}, behind the source, p50`, unit: "ms" }, p50, undefined),
      besideRow({ part, what: `${what}, behind the source, p99`, unit: "ms" }, p99, MAX_BEHIND_MS),
      ratioRow({ part, what: `${what}, processor time a change`, unit: "µs" }, cpu, undefined),
      exactRow(part, "data keys written by a restart without a change", written, 0),
    ];
  });
}

async function bareTail(
  bed: MirrorBed,
  destination: EtcdClient,
  changes: number,
): Promise<Measured> {
  const loop = bed.bareTail(destination);
  try {
    const deadline = performance.now() + PATIENCE_MS;
    while ((await destination.count(CONFIG_MAPS)) === 0) {
      if (performance.now() > deadline) throw new Error("the bare tail does not begin");
      await sleep(TICK_MS);
    }
    return await measure(bed, { destination, pid: loop.pid, changes, round: 0 });
  } finally {
    await loop.stop(0);
  }
}

/** @param round so that no two rounds write the same values */
async function measure(
  { source, keys }: MirrorBed,
  {
    destination,
    pid,
    changes,
    round,
  }: {
    readonly destination: EtcdClient;
    readonly pid: number;
    readonly changes: number;
    readonly round: number;
  },
): Promise<Measured> {
  const values = Array.from({ length: changes }, (_, at) =>
    configMap(at % keys, round * changes + at + 1),
  );
  const seenMs = new Map<string, number>();
  const behindMs: number[] = [];
  const watchingSource = await source.watch(CONFIG_MAPS, (key, value) => {
    seenMs.set(idOf(key, value), performance.now());
  });
  const watchingDestination = await destination.watch(CONFIG_MAPS, (key, value) => {
    const since = seenMs.get(idOf(key, value));
    // Seen here before it was seen there: both watches are this process's own.
    behindMs.push(since === undefined ? 0 : performance.now() - since);
  });
  const beforeMs = cpuMs(pid);
  await steadily(source, values);
  const deadline = performance.now() + PATIENCE_MS;
  while (behindMs.length < changes && performance.now() < deadline) await sleep(20);
  const cpuMicros = ((cpuMs(pid) - beforeMs) * 1_000) / changes;
  await Promise.all([watchingSource.stop(), watchingDestination.stop()]);
  if (behindMs.length < changes)
    throw new Error(`${changes - behindMs.length} changes did not arrive`);
  return { behindMs, cpuMicros };
}

const REVISION = Buffer.from("revision");

/** The key and the revision in the data, where its name stands last; behind it are the tag, length and digits of its value. */
function idOf(key: string, value: Buffer): string {
  const at = value.lastIndexOf(REVISION) + REVISION.length;
  return `${key} ${value.toString("latin1", at + 2, at + 2 + (value[at + 1] ?? 0))}`;
}

async function steadily(source: EtcdClient, values: readonly Stored[]): Promise<void> {
  const beganMs = performance.now();
  const sent: Promise<void>[] = [];
  while (sent.length < values.length) {
    const due = Math.floor(((performance.now() - beganMs) / 1_000) * PER_SECOND);
    for (const value of values.slice(sent.length, due)) sent.push(source.put(value));
    await sleep(TICK_MS);
  }
  await Promise.all(sent);
}

/** User and system time of a process. */
function cpuMs(pid: number): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13);
  return (Number(user) + Number(system)) * MS_PER_TICK;
}
