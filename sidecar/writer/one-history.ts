import { historyOf } from "../ledger/epoch.js";
import { decodeRecord } from "../ledger/record.js";
import { SourceReplaced } from "../link/source-replaced.js";
import type { Observation } from "./observation.js";
import type { WriterParts } from "./parts.js";

/**
 * Looks into a value that is older than its record. It may have been on its way for long, or was read before what the record was
 * made from. If it was read later it is of another history, because within one mod_revision of a key never goes back. The record
 * itself is asked, as the index knows hashes only.
 * @param value mod_revision of the value that was observed
 * @throws SourceReplaced, FenceLost
 */
export async function proveHistory(
  { books, transactions, epoch }: WriterParts,
  { path, revision }: Observation,
  value: bigint,
): Promise<void> {
  const known = books.index.get(path);
  if (known === undefined || revision < known.sourceRevision) return;
  const [kv] = await transactions.read([books.keys.own(path)]);
  const record = kv === undefined ? undefined : decodeRecord(kv.value);
  const isComparable = record !== undefined && historyOf(record.epoch) === historyOf(epoch());
  if (isComparable && value < record.sourceRevision && record.sourceRevision <= revision) {
    throw new SourceReplaced("the source holds an older value than was mirrored from it");
  }
}
