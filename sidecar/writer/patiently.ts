/** What another attempt mends is attempted again: the source, or a KMS plugin, does not answer now. */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EncryptionUnavailable } from "../encryption/transformer.js";
import { EtcdError, type EtcdErrorKind } from "../etcd/etcd.js";
import type { Transactions } from "./transactions.js";

/** Between two attempts. */
const RETRY_MS = 500;

/** Of the source: what another attempt does not mend, or another term has to look into. */
const ENDS_TERM: ReadonlySet<EtcdErrorKind> = new Set([
  "invalid",
  "unsupported",
  "cluster-changed",
]);

interface Parts {
  readonly clock: Clock;
  readonly log: Log;
  /** Their signal ends it: the destination's own troubles never get here. */
  readonly transactions: Transactions;
}

/** @throws what no attempt mends; whatever `work` throws once the term is over */
export async function patiently<T>(
  { clock, transactions, log }: Parts,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const mayPass =
        error instanceof EncryptionUnavailable ||
        (error instanceof EtcdError && !ENDS_TERM.has(error.kind));
      if (!mayPass || transactions.signal.aborted) throw error;
      log.warn({ err: error }, "cannot be looked at now, trying again");
    }
    await clock.sleep(RETRY_MS, transactions.signal);
  }
}
