/** What is done with an object that has the name and is not ours. */
import { decodeRecord } from "../ledger/record.js";
import { Keyspace } from "../link/keyspace.js";
import type { StoredObject } from "../wire/stored-object.js";
import type { WriterParts } from "./parts.js";

/** `--on-conflict fail`: the link does not start over an object that is not ours. */
export class OccupiedName extends Error {
  override readonly name = "OccupiedName";
  constructor(readonly path: string) {
    super(`${path} is in the destination and not ours; --on-conflict fail refuses to start`);
  }
}

export class Adoption {
  constructor(private readonly parts: WriterParts) {}

  /** @param existing the destination's object. @throws OccupiedName in a first copy, where the policy says so */
  async verdict(path: string, existing: StoredObject): Promise<"adopt" | "leave"> {
    const { policy, tally, log, books } = this.parts;
    const isOurs = policy.onConflict === "adopt" || (await this.#isOfLink(path, existing));
    if (isOurs) {
      tally.conflictsAdopted += 1;
      log.info({ path }, "object of the destination adopted");
      return "adopt";
    }
    if (policy.onConflict === "fail" && this.parts.isFirstCopy()) throw new OccupiedName(path);
    if (!books.debts.has(path)) tally.conflictsSkipped += 1;
    return "leave";
  }

  /** The reverse direction: what the other link mirrored from here is ours to write, as long as it is the same object. */
  async #isOfLink(path: string, existing: StoredObject): Promise<boolean> {
    const { policy, source, transactions } = this.parts;
    if (policy.adoptFromLink === undefined) return false;
    const key = new Keyspace(policy.adoptFromLink).own(path);
    const { kvs } = await source.range({ key }, { signal: transactions.signal });
    const [kv] = kvs;
    return kv !== undefined && decodeRecord(kv.value).sourceUid === existing.meta.uid;
  }
}
