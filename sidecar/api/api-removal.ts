/** Removes what is ours through the destination's API server: what was written through it, and Namespaces and CRDs. */
import type { ObjectKey } from "../keys/resource.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { TxnOp } from "../etcd/etcd.js";
import type { Owed } from "../writer/owing.js";
import type { WriterParts } from "../writer/parts.js";
import { needsApi } from "../writer/removal.js";
import { compareOf, guardOf, recordOf, type SeenKey } from "../writer/seen.js";
import type { Writer } from "../writer/writer.js";
import type { Paid, SourceLook } from "./source-look.js";
import type { ApiRemoved, ApiWriter } from "./api-writer.js";
import { Emptiness } from "./emptiness.js";

/** How long the destination's controllers have to clear away what hung on objects of ours. */
const CLEARING_MS = 60_000;
/** It never may: see ApiWriter.release. */
const RELEASE = "release";

/** One object on its way out. */
interface Leaving {
  readonly look: SourceLook;
  readonly at: ObjectKey;
  readonly recordKey: SeenKey;
  readonly record: LedgerRecord;
}

export class ApiRemoval {
  readonly #emptiness: Emptiness;
  /** Path -> monotonic ms since when only what controllers are to clear away is left in it. */
  readonly #clearingSince = new Map<string, number>();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly api: ApiWriter,
    private readonly hasChanged: (look: SourceLook) => Promise<boolean>,
  ) {
    this.#emptiness = new Emptiness(parts);
  }

  /** @param at undefined: nobody knows the kind any more */
  async run(look: SourceLook, at: ObjectKey | undefined): Promise<Paid> {
    const { path } = look;
    const { books, destination, transactions } = this.parts;
    const recordKey = books.keys.own(path);
    const [data, recordKv] = await transactions.read([destination.prefix.key(path), recordKey]);
    const record = recordOf({ key: recordKey, kv: recordKv });
    if (record === undefined || at === undefined) {
      await this.writer.alone(path, () => this.writer.owing.settle(path));
      return "settled";
    }
    const leaving = { look, at, record, recordKey: { key: recordKey, kv: recordKv } };
    if (data === undefined) return this.#forget(leaving);
    if (needsApi(path)) {
      const waits = await this.#whyNot(leaving);
      if (waits === RELEASE) return this.#release(leaving);
      if (waits !== undefined) return this.#owe(look, { code: "via-api", detail: waits });
    }
    const only = { uid: record.destinationUid, resourceVersion: String(data.modRevision) };
    const removed = await this.api.remove(at, only, transactions);
    return removed.kind === "removed" ? this.#forget(leaving) : this.#refused(look, removed);
  }

  /** What is in it goes first; with what is not ours in it, it stays and is ours no more. undefined: it may go. */
  async #whyNot({ look: { path }, at }: Leaving): Promise<string | undefined> {
    const { policy, clock } = this.parts;
    if (policy.deleteNamespaces === "never") return RELEASE;
    const { kind } = await this.#emptiness.of(at);
    if (kind !== "leftovers") this.#clearingSince.delete(path);
    switch (kind) {
      case "empty":
        return undefined;
      case "foreign":
        return RELEASE;
      case "ours":
        return "waits for what is in it";
      case "leftovers": {
        const nowMs = clock.monotonicMs();
        const sinceMs = this.#clearingSince.get(path) ?? nowMs;
        this.#clearingSince.set(path, sinceMs);
        return nowMs - sinceMs > CLEARING_MS ? RELEASE : "waits for controllers to clear it";
      }
    }
  }

  async #release(leaving: Leaving): Promise<Paid> {
    const { look, at, record } = leaving;
    const { path } = look;
    const only = { uid: record.destinationUid, resourceVersion: undefined };
    const released = await this.api.release(at, only, this.parts.transactions);
    if (released.kind !== "removed") return this.#refused(look, released);
    this.#clearingSince.delete(path);
    this.parts.log.warn({ path }, "left the rules, holds what is not ours: released");
    const { books } = this.parts;
    return this.writer.alone(path, async () => {
      const debt = this.writer.owing.debt(path, { code: "not-empty" }, look.revision);
      const forget: TxnOp = { kind: "delete", key: books.keys.own(path) };
      const isDone = await this.#commit(leaving, [forget, ...books.debts.change(path, debt)]);
      if (!isDone) return "owed";
      books.index.delete(path);
      books.debts.changed(path, debt);
      return "settled";
    });
  }

  #forget(leaving: Leaving): Promise<Paid> {
    const { look, record } = leaving;
    const { path, revision } = look;
    const { removal } = this.writer;
    this.#clearingSince.delete(path);
    return this.writer.alone(path, async () => {
      // The source has it again, or anew, and its own event may have been judged while the record still stood: it stays owed.
      const again = await this.hasChanged(look);
      const debt = again ? this.writer.owing.debt(path, { code: "via-api" }, revision) : undefined;
      const isDone = await this.#commit(leaving, removal.bookkeeping(path, record, debt));
      if (!isDone) return "owed";
      removal.removed(path, revision, record, debt);
      return again ? "owed" : "settled";
    });
  }

  /** @returns false when the record is another by now, or nobody knows: the debt stays, and is looked at again */
  async #commit({ recordKey }: Leaving, write: readonly TxnOp[]): Promise<boolean> {
    const compare = [compareOf(guardOf(recordKey))];
    const committed = await this.parts.transactions.commit({ compare, write, look: [] });
    return committed.kind === "done";
  }

  async #refused(
    look: SourceLook,
    removed: Exclude<ApiRemoved, { kind: "removed" }>,
  ): Promise<Paid> {
    switch (removed.kind) {
      case "changed":
        return this.#owe(look, { code: "via-api", detail: "it changed meanwhile" });
      case "refused":
        return this.#owe(look, { code: "api-refused", detail: removed.detail });
      case "unavailable":
        await this.#owe(look, { code: "via-api", detail: removed.detail });
        return removed.isAway ? "away" : "owed";
    }
  }

  async #owe({ path, revision }: SourceLook, owed: Owed): Promise<Paid> {
    await this.writer.alone(path, () => this.writer.owing.owe(path, owed, revision));
    return "owed";
  }
}
