/** Why a command could not do what it was asked, with the way out. */
import type { MirrorCannot } from "../../src/ports/mirror-answers.js";
import { EtcdError, WatchCompacted, type EtcdErrorKind } from "../etcd/etcd.js";
import { EtcdUnsuitable } from "../etcd/introduction.js";
import { FenceLost } from "../fence/held-fence.js";
import { BookUnreadable } from "../ledger/record.js";
import { LinkRefused } from "../link/open-link.js";
import { RehearsalFailed } from "../rehearsal/rehearse.js";
import { OccupiedName } from "../writer/adoption.js";
import type { LinkBooks } from "./link-books.js";

export function cannot(problem: string, fix: string): MirrorCannot {
  return { kind: "cannot", problem, fix };
}

/** No mirror of this name has ever written into this destination. */
export async function noSuchLink(books: LinkBooks, signal: AbortSignal): Promise<MirrorCannot> {
  const others = await books.otherLinks({ signal });
  const there = others.length === 0 ? "no link at all" : `these links: ${others.join(", ")}`;
  return cannot(
    `link ${books.keys.link} has never written into this destination; it knows ${there}`,
    "see that --link and --dest-endpoints are those of the mirror",
  );
}

/** undefined: another error, which is a defect of ours. */
export function cannotBecause(error: unknown): MirrorCannot | undefined {
  if (error instanceof EtcdError) {
    return cannot(`${error.message} (${error.kind})`, WAYS_OUT[error.kind]);
  }
  if (error instanceof BookUnreadable) {
    return cannot(error.message, "use the version that wrote it, or a newer one");
  }
  if (error instanceof EtcdUnsuitable) return cannot(error.message, "the mirror needs another one");
  if (error instanceof LinkRefused || error instanceof OccupiedName) {
    return cannot(error.message, "docs/mirror.md says what each of these is for");
  }
  if (error instanceof RehearsalFailed) return cannot(error.message, "try again");
  if (error instanceof FenceLost) {
    return cannot(error.message, "another process writes the link now: stop it, then try again");
  }
  if (error instanceof Error && "syscall" in error) {
    return cannot(error.message, "see that the files which the flags name are there");
  }
  if (error instanceof WatchCompacted) {
    return cannot(error.message, "try again; if it stays so, the etcd compacts too often");
  }
  return undefined;
}

const REACH = "see that the endpoints can be reached from here, and that their certificates fit";
const RIGHTS =
  "give the user read on the source's prefix, and readwrite on the destination's and on /svc-ferry/";

const WAYS_OUT: Readonly<Record<EtcdErrorKind, string>> = {
  unavailable: REACH,
  "unknown-outcome": "run the command again: it does nothing twice",
  "no-space": "free space in the destination: compact, defragment, disarm the alarm",
  auth: "see that user and password are right",
  permission: RIGHTS,
  "too-many-ops": "raise the server's --max-txn-ops, or lower ours",
  "too-large": "raise the server's --max-request-bytes",
  compacted: "try again",
  "future-revision": "see that all endpoints are members of one cluster",
  exhausted: "try again; the answer was too large for one message",
  "lease-not-found": "try again",
  unsupported: "the mirror needs etcd itself; kine and others refuse its transactions",
  "cluster-changed": "see that all endpoints are members of one cluster",
  invalid: "report this with the command line: it is a defect",
};
