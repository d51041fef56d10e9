/** What becomes of an object of ours that is gone from the source, or that no rule wants there any more. */
import type { Known } from "../ledger/index.js";
import type { Observation, Outcome } from "./observation.js";
import type { Owing } from "./owing.js";
import type { WriterParts } from "./parts.js";
import { patiently } from "./patiently.js";
import type { Removal } from "./removal.js";

export class Departure {
  constructor(
    private readonly parts: WriterParts,
    private readonly owing: Owing,
    private readonly removal: Removal,
  ) {}

  /** @param isPresent it is still in the source. @throws what ended the term */
  async run(observation: Observation, isPresent: boolean): Promise<Outcome> {
    const { books } = this.parts;
    const { path, revision } = observation;
    const known = books.index.get(path);
    if (known === undefined) {
      if (books.tombstones.covers(path, revision)) return "old";
      books.tombstones.sawGone(path, revision);
      if (await this.#isReleased(path)) return "owed";
      await this.owing.settle(path);
      return "ignored";
    }
    if (isOlder(observation, known)) return "old";
    if (!mayRemove(observation)) return "leaves";
    books.tombstones.sawGone(path, revision);
    const owed = this.removal.hindrance(observation, known, isPresent);
    if (owed !== undefined) return this.owing.owe(path, owed, revision);
    return patiently(this.parts, () => this.removal.run(observation, known));
  }

  /**
   * Nothing of it is here. A page that was read before may still bring it, as something that is new. Nobody reads pages of what no
   * rule wants.
   */
  ofNothing({ path, revision, cause }: Observation): void {
    const { books, view, sourcePrefix } = this.parts;
    if (cause !== "event" || !books.tombstones.areNeeded) return;
    const at = view.catalog.fromKey(sourcePrefix.key(path));
    if (at !== undefined && view.rules.wants(at.resource)) books.tombstones.sawGone(path, revision);
  }

  /** It is about to go, and others refer to it: they have to let go of it first. */
  lettingGo(observation: Observation): boolean {
    const { index, owners } = this.parts.books;
    const { path } = observation;
    return mayRemove(observation) && index.has(path) && owners.children(path).length > 0;
  }

  /** A Namespace or CRD that is not ours any more, and still there: people are told of it until it is gone. */
  async #isReleased(path: string): Promise<boolean> {
    const { books, transactions, destination } = this.parts;
    if (books.debts.get(path)?.code !== "not-empty") return false;
    const [kv] = await transactions.read([destination.prefix.key(path)]);
    return kv !== undefined;
  }
}

/** A record of the same history was made from something newer. */
function isOlder({ revision }: Observation, known: Known): boolean {
  return known.isComparable && revision < known.sourceRevision;
}

/** Pages only say what leaves: how much that is decides whether it may. */
function mayRemove({ cause }: Observation): boolean {
  return cause !== "pass" && cause !== "rescan";
}
