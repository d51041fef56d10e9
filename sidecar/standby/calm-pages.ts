import type { Clock } from "../../src/ports/clock.js";
import { prefixEnd, type Etcd, type KeyValue, type RangeOptions } from "../etcd/etcd.js";

/** 150 kB of records. */
const PAGE_KEYS = 1_000;

interface Reading {
  readonly etcd: Etcd;
  readonly clock: Clock;
  /** Everything is read as it was then. */
  readonly revision: bigint;
  /** Pause after each page, in times that the page took; 0: none. */
  readonly calm: number;
  readonly signal: AbortSignal;
}

/**
 * The keys of a prefix page by page, with pauses: nobody waits for them, and whoever is read has others to serve.
 * @throws EtcdError, `compacted` when it took too long; the signal's reason
 */
export async function* calmPages(
  { etcd, clock, revision, calm, signal }: Reading,
  prefix: string,
  only: Pick<RangeOptions, "keysOnly"> = {},
): AsyncGenerator<readonly KeyValue[], void> {
  const range = { rangeEnd: prefixEnd(prefix), limit: PAGE_KEYS, revision, ...only };
  for (let key = prefix; ;) {
    const begunMs = clock.monotonicMs();
    const { kvs, more } = await etcd.range({ ...range, key }, { signal });
    yield kvs;
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = `${last.key}\0`;
    await clock.sleep((clock.monotonicMs() - begunMs) * calm, signal);
  }
}
