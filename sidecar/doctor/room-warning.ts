import type { LinkBooks } from "../commands/link-books.js";
import { EncryptionUnavailable } from "../encryption/transformer.js";
import { EtcdError } from "../etcd/etcd.js";
import { FirstCopy, type FirstCopyParts } from "./first-copy.js";
import { copyText, fits, roomOf, roomText } from "./space-check.js";

export interface RoomParts extends FirstCopyParts {
  /** Of the destination. */
  readonly books: LinkBooks;
}

/**
 * Says in the log when a first copy that begins now may fill the destination's database. It is only a word: selectors of rules are
 * not looked at, and whoever started the mirror may know better. `mirror doctor` counts every object, and fails.
 */
export async function warnOfRoom(parts: RoomParts, signal: AbortSignal): Promise<void> {
  const { books, log } = parts;
  try {
    const state = (await books.state({ signal }))?.state;
    if (state?.applied !== undefined || state?.pass !== undefined) return;
    const room = roomOf(await books.etcd.members({ signal }));
    const most = await new FirstCopy(parts).atMost(signal);
    if (fits(room, most)) return;
    const text = `at most ${copyText(most)}; ${roomText(room)}: svc-ferry mirror doctor counts exactly`;
    log.warn({ text }, "the first copy may fill the destination");
  } catch (error) {
    // What does not answer now, an etcd or a KMS plugin, the mirror itself meets and tells.
    const isAway = error instanceof EtcdError || error instanceof EncryptionUnavailable;
    if (!signal.aborted && !isAway) throw error;
  }
}
