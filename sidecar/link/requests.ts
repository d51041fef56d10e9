/**
 * What people ask of a running mirror, left in its books: whoever holds the fence, wherever it runs, looks there every few seconds.
 *
 *     /svc-ferry/<link>/request/release-brake
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import { EtcdError, type Etcd } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import type { Keyspace } from "./keyspace.js";
import type { LinkRunner } from "./link-runner.js";

/** Between two looks: a person waits for it, and a read of one key costs nothing. */
const LOOK_MS = 2_000;

export function releaseBrakeKey(keys: Keyspace): string {
  return `${keys.base}request/release-brake`;
}

interface Parts {
  readonly etcd: Etcd;
  readonly keys: Keyspace;
  readonly link: LinkRunner;
  readonly clock: Clock;
  readonly log: Log;
}

/** Does what is asked for, while the fence is ours, until `signal` aborts. */
export async function followRequests(parts: Parts, signal: AbortSignal): Promise<void> {
  const { clock, link } = parts;
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    const { fence, phase } = link.status;
    // Before the books are read nobody knows what is held.
    if (signal.aborted || !fence.held || phase === undefined) continue;
    try {
      await answer(parts, signal);
    } catch (error) {
      // The request stays where it is; the next look finds it.
      if (!signal.aborted && !(error instanceof EtcdError)) throw error;
    }
  }
}

/** A request is about what is held when it is found: one that stayed would release what nobody has seen yet. */
async function answer({ etcd, keys, link, log }: Parts, signal: AbortSignal): Promise<void> {
  const key = releaseBrakeKey(keys);
  const [request] = (await etcd.range({ key }, { signal })).kvs;
  if (request === undefined) return;
  const by = request.value.toString("utf8");
  if (link.status.brake.engaged) {
    link.releaseBrake();
    log.info({ by }, "brake released");
  } else {
    log.info({ by }, "the brake holds nothing that could be released");
  }
  // Another one that comes meanwhile is another request.
  const same = { key, target: "mod", is: "=", value: request.modRevision } as const;
  await etcd.txn(transaction([same], [{ kind: "delete", key }], []), { signal });
}
