/**
 * Takes the seal off. Nobody knows what was changed in the destination meanwhile, so the link forgets how far it was: the next
 * mirror compares everything. The fence goes as well, so that a mirror that waits at the seal looks again.
 */
import { rfc3339 } from "../../src/ports/timestamps.js";
import type { ResumeAnswer } from "../../src/ports/mirror-answers.js";
import { transaction } from "../etcd/transaction.js";
import { encodeState, type LinkState } from "../link/state.js";
import { cannot, noSuchLink } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";

/** @throws EtcdError, BookUnreadable */
export async function resume(books: LinkBooks, signal: AbortSignal): Promise<ResumeAnswer> {
  const { keys, etcd } = books;
  for (;;) {
    const read = await books.state({ signal });
    if (read === undefined) return noSuchLink(books, signal);
    const { sealed } = read.state;
    if (sealed === undefined) {
      return cannot(`link ${keys.link} is not sealed`, "nothing needs to be done");
    }
    const { succeeded } = await etcd.txn(
      transaction(
        [{ key: keys.state, target: "mod", is: "=", value: read.modRevision }],
        [
          { kind: "put", key: keys.state, value: encodeState(unsealed(read.state)) },
          { kind: "delete", key: keys.fence },
        ],
        [],
      ),
      { signal },
    );
    if (succeeded) {
      return { kind: "resumed", before: { by: sealed.by, at: rfc3339(sealed.atMs) } };
    }
  }
}

/** An epoch that nobody has made anything in: every object is looked at, whatever its record says. */
function unsealed(state: LinkState): LinkState {
  return {
    ...state,
    phase: "copy",
    applied: undefined,
    pass: undefined,
    epoch: "",
    sealed: undefined,
  };
}
