/**
 * Seals a destination. One transaction takes the fence away from whoever holds it and writes the seal:
 *
 * 1. Every transaction of a mirror compares the fence's create_revision: from this one on none of the old holder comes through.
 * 2. Whoever takes the fence afterwards reads the state, finds the seal, and writes nothing.
 *
 * No lease of our own is needed for that, and no source. NB: etcd does not fence requests to an API server; one that is under
 * way at this moment may still arrive.
 */
import { rfc3339 } from "../../src/ports/timestamps.js";
import type { Clock } from "../../src/ports/clock.js";
import type { PromoteAnswer } from "../../src/ports/mirror-answers.js";
import { transaction } from "../etcd/transaction.js";
import { encodeState } from "../link/state.js";
import { noSuchLink } from "./cannot.js";
import type { LinkBooks, ReadState } from "./link-books.js";

export interface Promotion {
  readonly books: LinkBooks;
  readonly clock: Clock;
  /** Who promotes, for those who wonder later. */
  readonly by: string;
}

/** Nothing happens when it is sealed already. @throws EtcdError, BookUnreadable */
export async function promote(
  { books, clock, by }: Promotion,
  signal: AbortSignal,
): Promise<PromoteAnswer> {
  for (;;) {
    const read = await books.state({ signal });
    if (read === undefined) return noSuchLink(books, signal);
    const holder = await books.holder({ signal });
    const { sealed } = read.state;
    const isDone = sealed !== undefined || (await seal({ books, clock, by }, read, signal));
    if (!isDone) continue;
    const { applied, pass, writtenAtMs } = read.state;
    return {
      kind: "promoted",
      before: sealed && { by: sealed.by, at: rfc3339(sealed.atMs) },
      appliedRevision: applied?.toString(),
      dataAt: rfc3339(writtenAtMs),
      unfinished: pass !== undefined,
      debts: await books.debts({ signal }),
      holder: sealed === undefined ? holder : undefined,
    };
  }
}

/** False: a checkpoint came in between; read again. */
async function seal(
  { books, clock, by }: Promotion,
  { state, modRevision }: ReadState,
  signal: AbortSignal,
): Promise<boolean> {
  const { keys, etcd } = books;
  const sealedState = { ...state, phase: "sealed", sealed: { by, atMs: clock.now() } } as const;
  const { succeeded } = await etcd.txn(
    transaction(
      [{ key: keys.state, target: "mod", is: "=", value: modRevision }],
      [
        { kind: "put", key: keys.state, value: encodeState(sealedState) },
        { kind: "delete", key: keys.fence },
      ],
      [],
    ),
    { signal },
  );
  return succeeded;
}
