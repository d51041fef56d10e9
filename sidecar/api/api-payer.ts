/**
 * Pays debts through the destination's API server. An API write is in no transaction of etcd's, so the intent is a debt first, then
 * the call, then the record and the end of the debt in one transaction. A crash between the two is healed by the mark that the
 * object carries: the next attempt finds it and calls it ours.
 */
import type { Owed } from "../writer/owing.js";
import type { Outcome } from "../writer/observation.js";
import { encodeRecord, type LedgerRecord } from "../ledger/record.js";
import type { ObjectKey } from "../keys/resource.js";
import { needsApi } from "../writer/removal.js";
import { compareOf, guardOf, recordOf } from "../writer/seen.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import type { Reading, Wanted } from "../view/source-view.js";
import type { ApiRemoved, ApiWriter } from "./api-writer.js";
import { Emptiness } from "./emptiness.js";

export class ApiPayer {
  readonly #emptiness: Emptiness;

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly api: ApiWriter | undefined,
  ) {
    this.#emptiness = new Emptiness(parts);
  }

  /** Looks at the source's current value and does what it asks for. @throws what ended the term */
  pay(path: string): Promise<Outcome> {
    const { source, sourcePrefix, view, transactions } = this.parts;
    const { signal } = transactions;
    return this.writer.patiently(async () => {
      const { header, kvs } = await source.range({ key: sourcePrefix.key(path) }, { signal });
      const reading = await view.read(kvs[0]);
      return this.writer.alone(path, () => this.#pay(path, reading, header.revision));
    });
  }

  async #pay(path: string, reading: Reading, revision: bigint): Promise<Outcome> {
    if (this.api === undefined) return this.#owe(path, { code: "needs-api" }, revision);
    const isOthers =
      reading.kind === "wanted" && (await this.writer.isMirroredHere(path, reading.revision));
    if (reading.kind === "wanted" && reading.via === "api" && !isOthers) {
      return this.#apply(this.api, path, reading);
    }
    const isGone = reading.kind === "absent" || reading.kind === "unwanted";
    if (isGone && this.parts.books.index.has(path)) return this.#remove(this.api, path, revision);
    // Wanted otherwise now, or not ours any more.
    await this.writer.owing.settle(path);
    return "ignored";
  }

  async #apply(api: ApiWriter, path: string, wanted: Wanted): Promise<Outcome> {
    const applied = await api.apply(wanted.at, wanted.object, this.parts.transactions.signal);
    switch (applied.kind) {
      case "applied":
        return this.#applied(path, wanted, applied.uid, BigInt(applied.resourceVersion));
      case "occupied":
        return this.#owe(path, { code: "occupied", detail: applied.detail }, wanted.revision);
      case "no-namespace":
      case "namespace-terminating":
        return this.#owe(path, { code: applied.kind }, wanted.revision);
      case "refused":
        return this.#owe(path, { code: "api-refused", detail: applied.detail }, wanted.revision);
      case "unavailable":
        return this.#owe(path, { code: "via-api", detail: applied.detail }, wanted.revision);
    }
  }

  async #applied(path: string, wanted: Wanted, uid: string, at: bigint): Promise<Outcome> {
    const { books, transactions, epoch, tally } = this.parts;
    const record: LedgerRecord = {
      sourceRevision: wanted.revision,
      epoch: epoch(),
      rule: wanted.rule,
      via: "api",
      sourceUid: wanted.object.meta.uid,
      destinationUid: uid,
      destinationRevision: at,
      owners: [],
    };
    const put = { kind: "put", key: books.keys.own(path), value: encodeRecord(record) } as const;
    const write = [put, ...books.debts.change(path, undefined)];
    while ((await transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
    books.index.set(path, {
      sourceRevision: wanted.revision,
      destinationRevision: at,
      rule: wanted.rule,
      isCurrent: true,
      isComparable: true,
      via: "api",
    });
    books.debts.changed(path, undefined);
    tally.put += 1;
    return "put";
  }

  async #remove(api: ApiWriter, path: string, revision: bigint): Promise<Outcome> {
    const { books, destination, transactions, policy, view } = this.parts;
    const keys = [destination.prefix.key(path), books.keys.own(path)];
    const [data, recordKv] = await transactions.read(keys);
    const seen = { key: books.keys.own(path), kv: recordKv };
    const record = recordOf(seen);
    const at = view.catalog.fromKey(this.parts.sourcePrefix.key(path));
    if (record === undefined || at === undefined) {
      await this.writer.owing.settle(path);
      return "ignored";
    }
    if (data === undefined) return this.#forget(path, record, revision);
    const only = { uid: record.destinationUid, resourceVersion: String(data.modRevision) };
    if (needsApi(path)) {
      const left = await this.#emptiness.of(at);
      if (left.kind === "ours") {
        return this.#owe(path, { code: "via-api", detail: "waits for what is in it" }, revision);
      }
      if (left.kind === "foreign" || policy.deleteNamespaces === "never") {
        return this.#release(api, at, path, record, revision);
      }
    }
    const removed = await api.remove(at, only, transactions.signal);
    if (removed.kind === "removed") return this.#forget(path, record, revision);
    return this.#owe(path, owedFor(removed), revision);
  }

  /** It holds what is not ours: it stays, and is not ours any more either. */
  async #release(
    api: ApiWriter,
    at: ObjectKey,
    path: string,
    record: LedgerRecord,
    revision: bigint,
  ): Promise<Outcome> {
    const { books, transactions, log } = this.parts;
    const only = { uid: record.destinationUid, resourceVersion: undefined };
    const released = await api.release(at, only, transactions.signal);
    if (released.kind === "unavailable") return this.#owe(path, owedFor(released), revision);
    log.warn({ path }, "left the rules, holds what is not ours: released");
    const debt = this.writer.owing.debt(path, { code: "not-empty" }, revision);
    const write = [
      { kind: "delete", key: books.keys.own(path) } as const,
      ...books.debts.change(path, debt),
    ];
    while ((await transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
    books.index.delete(path);
    books.debts.changed(path, debt);
    return "owed";
  }

  async #forget(path: string, record: LedgerRecord, revision: bigint): Promise<Outcome> {
    const { books, transactions } = this.parts;
    const [kv] = await transactions.read([books.keys.own(path)]);
    const guard = guardOf({ key: books.keys.own(path), kv });
    const committed = await transactions.commit({
      compare: [compareOf(guard)],
      write: this.writer.removal.bookkeeping(path, record),
      look: [],
    });
    if (committed.kind === "done") this.writer.removal.removed(path, revision, record);
    return committed.kind === "done" ? "removed" : "owed";
  }

  #owe(path: string, owed: Owed, revision: bigint): Promise<Outcome> {
    return this.writer.owing.owe(path, owed, revision);
  }
}

function owedFor(removed: Exclude<ApiRemoved, { kind: "removed" }>): Owed {
  switch (removed.kind) {
    case "changed":
      return { code: "via-api", detail: "it changed meanwhile" };
    case "refused":
      return { code: "api-refused", detail: removed.detail };
    case "unavailable":
      return { code: "via-api", detail: removed.detail };
  }
}
