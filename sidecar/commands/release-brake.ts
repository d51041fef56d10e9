/** Asks whoever holds the fence, now or next, to let the deletions pass that the brake holds. */
import type { ReleaseBrakeAnswer } from "../../src/ports/mirror-answers.js";
import { transaction } from "../etcd/transaction.js";
import { releaseBrakeKey } from "../link/requests.js";
import { noSuchLink } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";

/** @param by who asks, for the log. @throws EtcdError, BookUnreadable */
export async function releaseBrake(
  books: LinkBooks,
  by: string,
  signal: AbortSignal,
): Promise<ReleaseBrakeAnswer> {
  if ((await books.state({ signal })) === undefined) return noSuchLink(books, signal);
  const held = (await books.debts({ signal })).byCode["braked"] ?? 0;
  if (held === 0) return { kind: "not-braked" };
  const put = {
    kind: "put",
    key: releaseBrakeKey(books.keys),
    value: Buffer.from(by, "utf8"),
  } as const;
  await books.etcd.txn(transaction([], [put], []), { signal });
  return { kind: "released", held, holder: await books.holder({ signal }) };
}
