/** What everything that writes one object works with. */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { Brake } from "../brake/brake.js";
import type { Etcd } from "../etcd/etcd.js";
import type { Books } from "../ledger/books.js";
import type { KubePrefix } from "../link/keyspace.js";
import type { LinkPolicy } from "../link/policy.js";
import type { Tally } from "../status/tally.js";
import type { DestinationView } from "../view/destination-view.js";
import type { MirroredHere } from "../view/mirrored-here.js";
import type { SourceView } from "../view/source-view.js";
import type { Transactions } from "./transactions.js";

export interface WriterParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly source: Etcd;
  readonly sourcePrefix: KubePrefix;
  readonly view: SourceView;
  /** undefined: source and destination are one etcd, whose books do not tell which prefix they are about. */
  readonly mirroredHere: MirroredHere | undefined;
  readonly destination: DestinationView;
  readonly transactions: Transactions;
  readonly books: Books;
  readonly policy: LinkPolicy;
  readonly tally: Tally;
  /** What objects are made with now: see TransformEpoch. */
  readonly epoch: () => string;
  /** A uid that no object has had. */
  readonly freshUid: () => string;
  /** Nothing was copied yet: `--on-conflict fail` may still refuse. */
  readonly isFirstCopy: () => boolean;
  /** A pass runs without which there is nothing to follow; nothing else writes meanwhile. */
  readonly isCopying: () => boolean;
  /** Wall clock, ms, from when on what left the rules may be removed. */
  readonly rulesSettledAtMs: () => number;
  readonly brake: Brake;
  /** Is there a way to the destination's API server? */
  readonly hasApi: boolean;
}
