/** The books of one link in memory, as the holder of the fence keeps them. True since the fence was taken, until it is lost. */
import { DebtBook } from "../debts/debt-book.js";
import type { Keyspace } from "../link/keyspace.js";
import { GoneUids } from "./gone-uids.js";
import { LedgerIndex } from "./index.js";
import { OwnerMap } from "./owner-map.js";
import { Witnesses } from "./witnesses.js";
import { Tombstones } from "./tombstones.js";

export class Books {
  readonly index = new LedgerIndex();
  readonly debts: DebtBook;
  readonly owners = new OwnerMap();
  /** Which objects would hold on to which owner, if it were there. Known since this process began; a pass finds the rest. */
  readonly longing = new OwnerMap();
  readonly tombstones = new Tombstones();
  readonly gone = new GoneUids();
  /** Of this history; as it was when the books were opened. */
  readonly witnesses = new Witnesses();

  constructor(readonly keys: Keyspace) {
    this.debts = new DebtBook(keys);
  }
}
