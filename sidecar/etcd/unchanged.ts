/**
 * Whether nothing below a prefix was written or deleted between two revisions. No watch can say that of a server whose progress is not
 * trusted (progress-trust.ts); two states of the store can:
 *
 * 1. Every key that is there at `to` was last written at or before `from`. So it was there at `from` too, with this value.
 * 2. As many keys were there at `from`. So none that was there has gone.
 *
 * A key that came and went in between leaves nothing behind: it is not noticed, and nobody has to do anything about it.
 */
import { prefixEnd, type Etcd, type EtcdCallOptions } from "./etcd.js";

/** Keys without values are short: 1,000 of them are 100 kB. */
const PAGE_KEYS = 1_000;

interface Between {
  readonly prefix: string;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Two counts, and a walk over all keys only where they agree.
 * @throws EtcdError, `compacted` among them: the server has one of both revisions no more
 */
export async function isUnchanged(
  etcd: Etcd,
  { prefix, from, to }: Between,
  call: EtcdCallOptions,
): Promise<boolean> {
  const rangeEnd = prefixEnd(prefix);
  const countAt = async (revision: bigint): Promise<bigint> =>
    (await etcd.range({ key: prefix, rangeEnd, revision, countOnly: true }, call)).count;
  if ((await countAt(from)) !== (await countAt(to))) return false;
  for (let key = prefix; ;) {
    const page = { key, rangeEnd, revision: to, limit: PAGE_KEYS, keysOnly: true };
    const { kvs, more } = await etcd.range(page, call);
    if (kvs.some(({ modRevision }) => modRevision > from)) return false;
    if (!more) return true;
    const last = kvs.at(-1);
    // A page of keys that are no text, which no mirror watches: nothing is known of what comes after them.
    if (last === undefined) return false;
    key = `${last.key}\0`;
  }
}
