import type { LedgerRecord } from "../ledger/record.js";
import { EtcdError } from "../etcd/etcd.js";
import type { Wanted } from "../view/source-view.js";
import type { WriterParts } from "./parts.js";

/**
 * The source's object as it was when the record was made: what somebody has changed in the destination is told by comparing with
 * that. The newest value differs already because the source has gone on.
 * @returns undefined: nobody can tell. It is compacted, of another history, or was made with other rules or keys.
 * @throws EtcdError, EncryptionUnavailable
 */
export async function asRecorded(
  { source, sourcePrefix, view, transactions, epoch }: WriterParts,
  path: string,
  record: LedgerRecord,
): Promise<Wanted | undefined> {
  if (record.epoch !== epoch()) return undefined;
  const { sourceRevision: revision } = record;
  try {
    const range = { key: sourcePrefix.key(path), revision };
    const [kv] = (await source.range(range, { signal: transactions.signal })).kvs;
    if (kv?.modRevision !== revision) return undefined;
    const reading = await view.read(kv);
    return reading.kind === "wanted" ? reading : undefined;
  } catch (error) {
    const isGone =
      error instanceof EtcdError &&
      (error.kind === "compacted" || error.kind === "future-revision");
    if (isGone) return undefined;
    throw error;
  }
}
