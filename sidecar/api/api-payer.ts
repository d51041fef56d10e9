/**
 * Pays debts through the destination's API server. An API write is in no transaction of etcd's:
 *
 * 1. The intent is a debt; the checkpoint may pass it.
 * 2. The source's current value is read, and the API is called. Nothing waits for that but other debts of this kind: the object's
 *    key stays free for the tail.
 * 3. In one transaction the record is written and the debt ends; not the debt if the source has changed since 2.
 *
 * A crash between 2 and 3 is healed by the mark that the object carries: the next attempt finds it and calls it ours.
 */
import type { ObjectKey } from "../keys/resource.js";
import type { Known } from "../ledger/index.js";
import { encodeRecord, type LedgerRecord } from "../ledger/record.js";
import type { Wanted } from "../view/source-view.js";
import { wireKindOf } from "../view/wire-kind.js";
import type { StoredObject } from "../wire/stored-object.js";
import { Adoption } from "../writer/adoption.js";
import { asRecorded } from "../writer/as-recorded.js";
import { ownerPaths, type RewrittenOwners } from "../writer/owner-references.js";
import type { Owed } from "../writer/owing.js";
import type { WriterParts } from "../writer/parts.js";
import { knownOf } from "../writer/made.js";
import { needsApi } from "../writer/removal.js";
import { leftAt, recordOf, type Seen } from "../writer/seen.js";
import type { Writer } from "../writer/writer.js";
import { ApiRemoval } from "./api-removal.js";
import type { ApiApplied, ApiTerm, ApiWriter } from "./api-writer.js";
import type { Paid, SourceLook } from "./source-look.js";
import { patiently } from "../writer/patiently.js";

export class ApiPayer {
  readonly #adoption: Adoption;
  readonly #removal: ApiRemoval | undefined;

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly api: ApiWriter | undefined,
  ) {
    this.#adoption = new Adoption(parts);
    this.#removal = api && new ApiRemoval(parts, writer, api, (look) => this.#hasChanged(look));
  }

  /** Looks at the source's current value and does what it asks for. @throws what ended the term */
  pay(path: string): Promise<Paid> {
    return patiently(this.parts, async () => {
      const look = await this.#look(path);
      const { reading } = look;
      if (this.api === undefined || this.#removal === undefined) {
        return this.#owe(look, { code: "needs-api" });
      }
      // What another link mirrors into the source is nobody's to send on: lookAgain settles it.
      const isOthers =
        reading.kind === "wanted" && (await this.writer.isMirroredHere(path, look.at));
      if (reading.kind === "wanted" && reading.via === "api" && !isOthers) {
        return this.#apply(this.api, look, reading);
      }
      const known = this.parts.books.index.get(path);
      const isGone = reading.kind === "absent" || reading.kind === "unwanted";
      if (isGone && known !== undefined && (known.via === "api" || needsApi(path))) {
        return this.#remove(this.#removal, look, known);
      }
      // Not the API's to write any more, or nothing of ours.
      await this.writer.lookAgain(path);
      return "settled";
    });
  }

  /** It may have been owed for another reason, so that nobody has asked yet whether it may go. */
  #remove(removal: ApiRemoval, look: SourceLook, known: Known): Promise<Paid> {
    const { path, revision, reading } = look;
    const observation = { path, revision, kv: undefined, cause: "debt" } as const;
    const isPresent = reading.kind === "unwanted";
    const owed = this.writer.removal.hindrance(observation, known, isPresent);
    const stays = owed !== undefined && owed.code !== "via-api";
    return stays ? this.#owe(look, owed) : removal.run(look, this.#at(path));
  }

  async #apply(api: ApiWriter, look: SourceLook, wanted: Wanted): Promise<Paid> {
    const { path } = look;
    const { policy, destination } = this.parts;
    if (wanted.isSecret && !policy.allowPlaintext && !destination.encrypts(wanted.at.resource)) {
      return this.#owe(look, { code: "dest-plaintext" });
    }
    const seen = await this.#seen(path, wanted);
    const owners = await this.writer.put.owners.rewritten(wanted, seen);
    const applied = await this.#applied(api, { path, wanted, seen, owners });
    this.#tell(path, applied);
    switch (applied.kind) {
      case "applied":
        return this.#record(look, wanted, owners, applied);
      case "drifted":
        return this.#owe(look, { code: "drifted", detail: applied.fields.join(", ") });
      case "occupied":
      case "no-namespace":
      case "namespace-terminating":
        return this.#owe(look, { code: applied.kind });
      case "refused":
        return this.#owe(look, { code: "api-refused", detail: applied.detail });
      case "unavailable":
        await this.#owe(look, { code: "via-api", detail: applied.detail });
        return applied.isAway ? "away" : "owed";
    }
  }

  /** Applies; an object that is in the way is adopted where the operator wants that. */
  async #applied(
    api: ApiWriter,
    {
      path,
      wanted,
      seen,
      owners,
    }: {
      readonly path: string;
      readonly wanted: Wanted;
      readonly seen: Seen;
      readonly owners: RewrittenOwners;
    },
  ): Promise<ApiApplied> {
    const { object, at } = wanted;
    const kind = wireKindOf(wanted, this.parts.view.catalog);
    const { onDrift } = this.parts.policy;
    const record = recordOf(seen.record);
    const before = () => this.#before(path, wanted, record);
    const left = record && seen.record.kv && String(leftAt(record, seen.record.kv));
    const all = { object, kind, owners: owners.references, onDrift, leftAt: left, before };
    const ownUid = record?.destinationUid;
    const applied = await api.apply(at, { ...all, ownUid }, this.#term);
    if (applied.kind !== "occupied" || seen.data.kv === undefined) return applied;
    const opened = await this.parts.destination.open(seen.data.kv, at.resource);
    if (opened.kind === "unreadable") return applied;
    if ((await this.#adoption.verdict(path, opened.object)) === "leave") return applied;
    return api.apply(at, { ...all, ownUid: opened.object.meta.uid }, this.#term);
  }

  async #before(
    path: string,
    wanted: Wanted,
    record: LedgerRecord | undefined,
  ): Promise<StoredObject | undefined> {
    if (record === undefined || record.sourceRevision === wanted.revision) return undefined;
    return (await asRecorded(this.parts, path, record))?.object;
  }

  /** NB: what is owed as drifted is looked at again and again, and counted once. */
  #tell(path: string, applied: ApiApplied): void {
    const { tally, log, books } = this.parts;
    if (applied.kind === "drifted" && books.debts.get(path)?.code !== "drifted") {
      tally.driftReported += 1;
      const { fields } = applied;
      log.warn({ path, fields }, "changed by somebody else in the destination, left so");
    }
    if (applied.kind === "applied" && applied.repaired.length > 0) {
      tally.driftRepaired += 1;
      const { repaired: fields } = applied;
      log.warn({ path, fields }, "changed by somebody else in the destination, repaired");
    }
  }

  async #record(
    look: SourceLook,
    wanted: Wanted,
    owners: RewrittenOwners,
    applied: Extract<ApiApplied, { kind: "applied" }>,
  ): Promise<Paid> {
    const record: LedgerRecord = {
      sourceRevision: wanted.revision,
      epoch: this.parts.epoch(),
      rule: wanted.rule,
      via: "api",
      sourceUid: wanted.object.meta.uid,
      destinationUid: applied.uid,
      destinationRevision: BigInt(applied.resourceVersion),
      owners: owners.held,
    };
    const missing: Owed = { code: "owner-missing", detail: owners.missing.join(", ") };
    if (applied.written) this.parts.tally.put += 1;
    this.parts.books.longing.set(look.path, owners.unwanted);
    return this.writer.alone(look.path, () =>
      this.#write(look, wanted, record, owners.missing.length === 0 ? undefined : missing),
    );
  }

  /** What the tail had to say about the key meanwhile stands in its debt, and in the source. */
  async #write(
    look: SourceLook,
    wanted: Wanted,
    record: LedgerRecord,
    missing: Owed | undefined,
  ): Promise<Paid> {
    const { path } = look;
    const { books, transactions } = this.parts;
    const owed: Owed | undefined = (await this.#hasChanged(look)) ? { code: "via-api" } : missing;
    const debt = owed && this.writer.owing.debt(path, owed, wanted.revision);
    const put = { kind: "put", key: books.keys.own(path), value: encodeRecord(record) } as const;
    const write = [put, ...books.debts.change(path, debt)];
    // Without a compare but the fence's it can be sent again as often as it takes.
    while ((await transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
    const at = record.destinationRevision ?? 0n;
    books.index.set(path, { ...knownOf(wanted, at), via: "api" });
    books.owners.set(path, record.owners);
    books.tombstones.delete(path);
    books.debts.changed(path, debt);
    return debt === undefined ? "settled" : "owed";
  }

  async #owe({ path, revision, reading }: SourceLook, owed: Owed): Promise<Paid> {
    const at = reading.kind === "wanted" ? reading.revision : revision;
    await this.writer.alone(path, () => this.writer.owing.owe(path, owed, at));
    return "owed";
  }

  async #look(path: string): Promise<SourceLook> {
    const { source, sourcePrefix, view, transactions } = this.parts;
    const { signal } = transactions;
    const { header, kvs } = await source.range({ key: sourcePrefix.key(path) }, { signal });
    const [kv] = kvs;
    const reading = await view.read(kv);
    return { path, reading, at: kv?.modRevision ?? 0n, revision: header.revision };
  }

  /** The source asks for something else now. Asked while nothing else of the path is under way. */
  async #hasChanged(look: SourceLook): Promise<boolean> {
    const now = await this.#look(look.path);
    return now.at !== look.at || now.reading.kind !== look.reading.kind;
  }

  async #seen(path: string, wanted: Wanted): Promise<Seen> {
    const { books, destination, transactions, view } = this.parts;
    const owners = ownerPaths(wanted, view).map((owner) => books.keys.own(owner));
    const keys = [destination.prefix.key(path), books.keys.own(path), ...owners] as const;
    const [data, record, ...ownerRecords] = await transactions.read(keys);
    return {
      data: { key: keys[0], kv: data },
      record: { key: keys[1], kv: record },
      owners: owners.map((key, index) => ({ key, kv: ownerRecords[index] })),
    };
  }

  #at(path: string): ObjectKey | undefined {
    const { view, sourcePrefix } = this.parts;
    return view.catalog.fromKey(sourcePrefix.key(path));
  }

  get #term(): ApiTerm {
    return this.parts.transactions;
  }
}
