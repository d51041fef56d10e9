/**
 * `--rev`: the watch begins at a revision that a person names, because what is older is known to be in the destination, or is not
 * wanted. That is only possible for a link that has not begun: in any other the books say where to go on.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Etcd } from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import type { Ruleset } from "../rules/ruleset.js";
import type { Keyspace } from "./keyspace.js";
import { LinkRefused } from "./open-link.js";
import { FIRST_HISTORY, encodeState, type LinkState } from "./state.js";

interface Parts {
  readonly source: Etcd;
  readonly destination: Etcd;
  readonly keys: Keyspace;
  readonly rules: Ruleset | undefined;
  readonly clock: Clock;
}

/**
 * Writes a state that says that everything below `revision` is applied.
 * @throws LinkRefused when the link has begun; EtcdError
 */
export async function startAt(revision: bigint, parts: Parts, signal: AbortSignal): Promise<void> {
  const { source, destination, keys, rules, clock } = parts;
  const from = await source.revision({ signal });
  const to = await destination.revision({ signal });
  const state: LinkState = {
    phase: "tail",
    applied: revision - 1n,
    pass: undefined,
    sourceClusterId: String(from.clusterId),
    destinationClusterId: String(to.clusterId),
    history: FIRST_HISTORY,
    rulesHash: rules?.hash ?? "",
    epoch: "",
    rulesSinceMs: undefined,
    sealed: undefined,
    writtenAtMs: clock.now(),
    verifiedAtMs: clock.now(),
  };
  const isNew = { key: keys.state, target: "create", is: "=", value: 0n } as const;
  const put = { kind: "put", key: keys.state, value: encodeState(state) } as const;
  const { succeeded } = await destination.txn(transaction([isNew], [put], []), { signal });
  if (succeeded) return;
  throw new LinkRefused(
    `--rev=${revision} is for a link that has not begun; the books of ${keys.link} say where to go on: leave it out`,
  );
}
