/**
 * The endpoints of one cluster, best first: the one that answered last, then those that have not failed, then those whose
 * pause is over soonest. Each has a channel for calls and one for keep-alives of leases, which must not wait behind a page.
 */
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import type { Random } from "../../src/ports/random.js";
import { Connection } from "./connection.js";
import { type Endpoint, type EtcdOptions, MIN_KEEPALIVE_MS, parseEndpoint } from "./options.js";

/** One server as far as this client knows it. */
export interface Member {
  readonly address: string;
  readonly calls: Connection;
  readonly keepAlives: Connection;
}

/** First pause of an endpoint that failed, ms; doubled with each failure in a row. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A learner catches up within minutes; asked again this often. */
const LEARNER_PAUSE_MS = 30_000;

export class Endpoints {
  readonly #states: EndpointState[];

  constructor(
    private readonly options: EtcdOptions,
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    /** undefined: every endpoint is plain text. */
    secure: ChannelCredentials | undefined,
  ) {
    this.#states = options.endpoints.map((text) => {
      const endpoint = parseEndpoint(text, options.insecureTransport);
      const member = this.#connect(endpoint, secure);
      return { endpoint, member, secure, failures: 0, pausedUntilMs: 0 };
    });
  }

  /** Every member, in the order in which to try them. */
  inOrder(): readonly Member[] {
    const now = this.deps.clock.monotonicMs();
    const rest = ({ pausedUntilMs }: EndpointState): number => Math.max(0, pausedUntilMs - now);
    // As nearly always: none has failed.
    if (this.#states.every((state) => rest(state) === 0)) return this.#states.map(memberOf);
    return this.#states.toSorted((a, b) => rest(a) - rest(b)).map(memberOf);
  }

  /** It goes first from now on, so that calls stay where they work. */
  worked(member: Member): void {
    const at = this.#states.findIndex((state) => state.member === member);
    const state = this.#states[at];
    if (state === undefined) return; // its channel was exchanged meanwhile
    state.failures = 0;
    state.pausedUntilMs = 0;
    if (at === 0) return;
    this.#states.splice(at, 1);
    this.#states.unshift(state);
  }

  /** It goes last for a while; half of the pause is chance, so that clients do not come back together. */
  failed(member: Member, why: "unreachable" | "learner"): void {
    const state = this.#states.find((one) => one.member === member);
    if (state === undefined) return;
    const { clock, random } = this.deps;
    const backOff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** state.failures);
    const pauseMs = why === "learner" ? LEARNER_PAUSE_MS : backOff * (0.5 + random.next() / 2);
    state.failures++;
    state.pausedUntilMs = clock.monotonicMs() + pauseMs;
  }

  /**
   * New channels with these credentials take the place of the old ones where they connect; calls under way end on the old.
   * Those that have these credentials already are left alone.
   * @returns addresses that did not connect and keep what they had
   */
  async exchange(secure: ChannelCredentials): Promise<readonly string[]> {
    const refused: string[] = [];
    const others = this.#states.filter((state) => state.secure !== secure);
    for (const state of others.filter(({ endpoint }) => endpoint.secure)) {
      const member = this.#connect(state.endpoint, secure);
      try {
        await member.calls.ready();
      } catch {
        member.calls.close();
        member.keepAlives.close();
        refused.push(state.endpoint.address); // the caller reports it, and tries again
        continue;
      }
      const old = state.member;
      state.member = member;
      state.secure = secure;
      old.calls.retire();
      old.keepAlives.retire();
    }
    return refused;
  }

  close(): void {
    for (const { member } of this.#states) {
      member.calls.close();
      member.keepAlives.close();
    }
  }

  #connect({ address, secure }: Endpoint, tls: ChannelCredentials | undefined): Member {
    const { dialTimeoutMs, keepaliveTimeMs, keepaliveTimeoutMs } = this.options;
    const plain = credentials.createInsecure();
    const options = {
      address,
      credentials: secure ? (tls ?? credentials.createSsl()) : plain,
      dialTimeoutMs,
      keepaliveTimeMs: Math.max(MIN_KEEPALIVE_MS, keepaliveTimeMs),
      keepaliveTimeoutMs,
    };
    const { clock } = this.deps;
    const calls = new Connection(options, clock);
    return { address, calls, keepAlives: new Connection(options, clock) };
  }
}

interface EndpointState {
  readonly endpoint: Endpoint;
  member: Member;
  /** What `member` was made with. */
  secure: ChannelCredentials | undefined;
  failures: number;
  pausedUntilMs: number;
}

function memberOf({ member }: EndpointState): Member {
  return member;
}
