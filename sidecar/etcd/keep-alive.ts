/** One keep-alive of a lease, on a channel that no page of objects can hold up. */
import { aborted } from "../../src/ports/aborted.js";
import type { CallsDeps } from "./calls.js";
import type { Member } from "./endpoints.js";
import { etcdError, grpcFailure, wantsNewToken } from "./errors.js";
import { EtcdError } from "./etcd.js";
import { leaseRequest } from "./requests.js";
import { leaseResponse } from "./responses.js";

/**
 * Asks each endpoint in turn until one answers: a keep-alive may be done twice.
 * @returns the TTL that is left, seconds; 0: the lease is gone
 * @throws EtcdError of the last endpoint; the signal's reason
 */
export async function keepLeaseAlive(
  lease: bigint,
  deps: CallsDeps,
  signal: AbortSignal,
): Promise<number> {
  let last: Error | undefined;
  for (const member of deps.endpoints.inOrder()) {
    signal.throwIfAborted();
    let token: string | undefined;
    try {
      await member.keepAlives.ready();
      token = await deps.token.on(member);
      const ttlSeconds = await once({ lease, member, token }, deps, signal);
      deps.endpoints.worked(member);
      return ttlSeconds;
    } catch (error) {
      signal.throwIfAborted();
      if (wantsNewToken(grpcFailure(error))) deps.token.refused(token);
      last = meaning(error, member);
      deps.endpoints.failed(member, "unreachable");
    }
  }
  throw last ?? new EtcdError("unavailable", "there is no endpoint");
}

interface KeepAlive {
  readonly lease: bigint;
  readonly member: Member;
  readonly token: string | undefined;
}

async function once(
  { lease, member, token }: KeepAlive,
  deps: CallsDeps,
  signal: AbortSignal,
): Promise<number> {
  const stream = member.keepAlives.stream("Lease/LeaseKeepAlive", leaseResponse, token);
  const over = new AbortController();
  const wanted = AbortSignal.any([signal, over.signal]);
  void deps.clock.sleep(deps.timeoutMs, over.signal).then(() => stream.cancel());
  void aborted(wanted).then(() => stream.cancel());
  try {
    stream.write(leaseRequest(lease));
    for await (const answer of stream) {
      const { header, ttlSeconds } = answer as ReturnType<typeof leaseResponse>;
      deps.identity.check(header, member.address);
      return ttlSeconds;
    }
  } finally {
    over.abort();
  }
  throw new EtcdError("unavailable", `${member.address} ended the stream of keep-alives`);
}

function meaning(error: unknown, { address }: Member): EtcdError {
  return error instanceof EtcdError ? error : etcdError(grpcFailure(error), "read", address);
}
