/** Asks the leader's hand-off port as a replica does, with the pair that the replicas share; hands over nothing. */
import { HAND_OFF_NAME } from "../certs/carry-out.js";
import { bundleText } from "../certs/holding.js";
import { SECRET_NAME } from "../certs/object-names.js";
import { parseSecret } from "../certs/secret-content.js";
import { HandOffClient } from "../webhook/hand-off-client.js";
import type { HandOffPeer } from "./doctor/hand-off-check.js";
import type { Clock } from "./ports/clock.js";
import type { HandOffIdentity } from "./ports/hand-off-identity.js";
import type { KubeApi } from "./ports/kube-api.js";
import { SECRETS } from "./ports/kube-resources.js";

export interface HandOffProbe {
  /** The source. */
  readonly api: Pick<KubeApi, "get">;
  /** Of the Lease and the Secret. */
  readonly namespace: string;
  /** For people who read the leader's log. */
  readonly from: string;
  readonly clock: Clock;
}

/**
 * Resolves when the leader has taken an empty batch: that is what it does only while it leads, and only for a replica.
 * @throws RetryableError FERRY-H001 when it has not, also where the Secret has no pair; FERRY-K006 when the Secret may not be read
 */
export async function askHandOff(
  { api, namespace, from, clock }: HandOffProbe,
  { identity, address }: HandOffPeer,
  signal: AbortSignal,
): Promise<void> {
  const pair = await identityOf(api, namespace, signal);
  const client = new HandOffClient({
    clock,
    from,
    identities: { current: () => pair, onChange: () => () => {} },
    receive: () => false,
    leader: () => ({ identity, processId: identity, address, isUs: false }),
  });
  try {
    await client.deliver({ hints: [], resync: false }, signal);
  } finally {
    client.stop();
  }
}

async function identityOf(
  api: Pick<KubeApi, "get">,
  namespace: string,
  signal: AbortSignal,
): Promise<HandOffIdentity | undefined> {
  const { cas, leaves } = parseSecret(
    await api.get(SECRETS, { namespace, name: SECRET_NAME }, signal),
  );
  const pair = leaves["hand-off"];
  if (pair === undefined) return undefined;
  return { cert: pair.certificate.pem, key: pair.key, ca: bundleText(cas), name: HAND_OFF_NAME };
}
