/**
 * Calls that fail over: to the next endpoint when nothing was sent, or when the call only reads; with a new token, once, when
 * the old one is no longer taken. A write whose answer did not come is never sent again from here.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Random } from "../../src/ports/random.js";
import { CallFailed, type Method } from "./connection.js";
import type { Endpoints, Member } from "./endpoints.js";
import { type Effect, etcdError, isLearnerRefusal, wantsNewToken } from "./errors.js";
import { EtcdError } from "./etcd.js";
import type { ClusterIdentity } from "./identity.js";
import type { Writer } from "./protobuf-writer.js";
import type { Headed } from "./responses.js";
import type { Token } from "./token.js";

export interface CallsDeps {
  readonly endpoints: Endpoints;
  readonly token: Token;
  readonly identity: ClusterIdentity;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Call<T> {
  readonly method: Method;
  readonly effect: Effect;
  readonly request: Writer;
  readonly decode: (buffer: Buffer) => T;
  readonly signal: AbortSignal;
}

export class Calls {
  constructor(readonly deps: CallsDeps) {}

  /** @throws EtcdError of the last endpoint that was tried; the signal's reason */
  async make<T extends Headed>(call: Call<T>): Promise<T> {
    const { endpoints } = this.deps;
    let last: EtcdError | undefined;
    for (const member of endpoints.inOrder()) {
      call.signal.throwIfAborted();
      try {
        const answer = await this.on(member, call);
        endpoints.worked(member);
        return answer;
      } catch (error) {
        if (!(error instanceof EtcdError) || error.kind !== "unavailable") throw error;
        last = error;
      }
    }
    throw last ?? new EtcdError("unavailable", "there is no endpoint");
  }

  /** On this member and no other. @throws EtcdError; the signal's reason */
  async on<T extends Headed>(member: Member, call: Call<T>): Promise<T> {
    const { token } = this.deps;
    try {
      if (!member.calls.isReady) await member.calls.ready();
      const used = token.isNeeded ? await token.on(member) : undefined;
      try {
        return await this.#attempt(member, call, used);
      } catch (error) {
        if (!(error instanceof CallFailed) || !wantsNewToken(error.failure)) throw error;
        token.refused(used);
      }
      return await this.#attempt(member, call, await token.on(member));
    } catch (error) {
      throw this.#meaning(error, member, call.effect);
    }
  }

  async #attempt<T extends Headed>(
    member: Member,
    call: Call<T>,
    token: string | undefined,
  ): Promise<T> {
    const { identity, timeoutMs } = this.deps;
    const { method, request, decode, signal } = call;
    const one = { method, request, decode, timeoutMs, signal, token };
    const answer = await member.calls.unary(one);
    identity.check(answer.header, member.address);
    return answer;
  }

  /** What the caller hears; an endpoint that cannot be used is put last. */
  #meaning(error: unknown, member: Member, effect: Effect): unknown {
    const { endpoints } = this.deps;
    if (error instanceof EtcdError) {
      if (error.kind === "unavailable") endpoints.failed(member, "unreachable");
      return error;
    }
    if (!(error instanceof CallFailed)) return error;
    const meaning = etcdError(error.failure, effect, member.address);
    if (isLearnerRefusal(error.failure)) endpoints.failed(member, "learner");
    else if (meaning.kind === "unavailable" || meaning.kind === "unknown-outcome") {
      endpoints.failed(member, "unreachable");
    }
    return meaning;
  }
}
