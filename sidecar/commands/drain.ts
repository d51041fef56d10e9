/** Waits until a running mirror has applied everything that the source held when the command began. */
import type { Clock } from "../../src/ports/clock.js";
import type { DrainAnswer } from "../../src/ports/mirror-answers.js";
import type { Etcd } from "../etcd/etcd.js";
import { cannot, noSuchLink } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";

export interface Draining {
  readonly source: Etcd;
  readonly books: LinkBooks;
  readonly clock: Clock;
  readonly waitMs: number;
}

/** Between two looks at the checkpoint, which a mirror at work writes every few seconds. */
const LOOK_MS = 500;

/** @throws EtcdError, BookUnreadable */
export async function drain(
  { source, books, clock, waitMs }: Draining,
  signal: AbortSignal,
): Promise<DrainAnswer> {
  const endMs = clock.monotonicMs() + waitMs;
  const { revision } = await source.revision({ signal });
  for (;;) {
    const read = await books.state({ signal });
    if (read === undefined) return noSuchLink(books, signal);
    const { applied, phase } = read.state;
    if (phase === "sealed") {
      return cannot(`link ${books.keys.link} is sealed`, "there is nothing to drain");
    }
    if (phase === "tail" && applied !== undefined && applied >= revision) {
      return {
        kind: "drained",
        sourceRevision: revision.toString(),
        appliedRevision: applied.toString(),
        debts: await books.debts({ signal }),
      };
    }
    if ((await books.holder({ signal })) === undefined && clock.monotonicMs() >= endMs) {
      return cannot(
        `no mirror of link ${books.keys.link} is running`,
        "start one, then drain again",
      );
    }
    if (clock.monotonicMs() >= endMs) {
      return {
        kind: "behind",
        sourceRevision: revision.toString(),
        appliedRevision: applied?.toString(),
      };
    }
    await clock.sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}
