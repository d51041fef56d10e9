/**
 * One connection, kept open, to the address that the leader publishes on its Lease. Whoever may write that Lease may send us
 * anywhere, so what counts is the certificate: nobody but a replica gets to know anything.
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Clock } from "../src/ports/clock.js";
import { RetryableError } from "../src/ports/errors.js";
import type { HandOffIdentities, HandOffIdentity } from "../src/ports/hand-off-identity.js";
import { parseAddress, type HandOffAddress } from "./hand-off-address.js";
import { handOffTls, isPeer } from "./hand-off-tls.js";
import { HAND_OFF_LIMITS } from "./limits.js";

/** Who leads, as its Lease says. */
export interface HandOffLeader {
  /** The pod's name; for people. */
  readonly identity: string;
  /** Another one in each leadership of another process. */
  readonly processId: string;
  /** "host:port", IPv6 in brackets; undefined: it publishes none. */
  readonly address: string | undefined;
  /** It is this process. */
  readonly isUs: boolean;
}

export interface LeaderConnectionParts {
  readonly clock: Clock;
  readonly identities: HandOffIdentities;
  /** Longer answers are an error. */
  readonly maxAnswerBytes: number;
}

export interface LeaderRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

export interface LeaderAnswer {
  readonly status: number;
  readonly text: string;
}

/** For the handshake too. A leader answers from memory. */
const REQUEST_MS = 2_000;
/** Half of what the server allows: it is always we who close, never in the moment in which the other end does too. */
const IDLE_MS = HAND_OFF_LIMITS.keepAliveMs / 2;

interface Connection {
  readonly agent: Agent;
  readonly leader: HandOffLeader;
  readonly at: HandOffAddress;
  readonly identity: HandOffIdentity;
}

export class LeaderConnection {
  #connection: Connection | undefined;

  constructor(private readonly parts: LeaderConnectionParts) {}

  /**
   * @param leader of the moment: another one than before gets another connection
   * @throws RetryableError FERRY-H001 when there is no answer, whatever the reason
   */
  async send(
    leader: HandOffLeader,
    asked: LeaderRequest,
    signal: AbortSignal,
  ): Promise<LeaderAnswer> {
    const connection = this.#connectionTo(leader);
    const { maxAnswerBytes } = this.parts;
    return this.#inTime(signal, leader, (cut) => exchange(connection, asked, maxAnswerBytes, cut));
  }

  /** Closes it. The next request opens another. */
  stop(): void {
    this.#connection?.agent.destroy();
    this.#connection = undefined;
  }

  /** The one that is open, if it is to the same leader and made with what we are now. */
  #connectionTo(leader: HandOffLeader): Connection {
    const identity = this.parts.identities.current();
    if (identity === undefined) throw handOffFailed("there is no certificate for the hand-off yet");
    const { identity: name, address = "" } = leader;
    const at = parseAddress(address);
    if (at === undefined)
      throw handOffFailed(`${name} publishes no address for the hand-off: "${address}"`);
    const before = this.#connection;
    if (before !== undefined && isTo(before, leader) && isSame(before.identity, identity)) {
      return before;
    }
    this.stop();
    this.#connection = { agent: newAgent(identity), leader, at, identity };
    return this.#connection;
  }

  async #inTime(
    signal: AbortSignal,
    { identity, address }: HandOffLeader,
    send: (cut: AbortSignal) => Promise<LeaderAnswer>,
  ): Promise<LeaderAnswer> {
    const ended = new AbortController();
    const late = new AbortController();
    const limit = this.parts.clock.sleep(REQUEST_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) late.abort();
    });
    try {
      return await send(AbortSignal.any([signal, late.signal]));
    } catch (cause) {
      const why = late.signal.aborted ? `no answer within ${REQUEST_MS} ms` : String(cause);
      throw handOffFailed(`${identity} at ${address} cannot be reached: ${why}`, cause);
    } finally {
      ended.abort();
      await limit;
    }
  }
}

/** The one error of the hand-off; whoever hands over tries again. */
export function handOffFailed(message: string, cause?: unknown): RetryableError {
  return new RetryableError("FERRY-H001", message, { cause });
}

function isTo({ leader }: Connection, { processId, address }: HandOffLeader): boolean {
  return leader.processId === processId && leader.address === address;
}

function isSame(one: HandOffIdentity, other: HandOffIdentity): boolean {
  return (
    one.cert === other.cert &&
    one.key === other.key &&
    one.ca === other.ca &&
    one.name === other.name
  );
}

function newAgent(identity: HandOffIdentity): Agent {
  return new Agent({
    ...handOffTls(identity),
    servername: identity.name,
    checkServerIdentity: (_, { raw }) =>
      isPeer(new X509Certificate(raw), identity)
        ? undefined
        : new Error("the certificate that it shows has another name"),
    keepAlive: true,
    timeout: IDLE_MS,
    maxSockets: 1,
    maxCachedSessions: 0,
  });
}

function exchange(
  { agent, at }: Connection,
  { method, path, body }: LeaderRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<LeaderAnswer> {
  const answered = Promise.withResolvers<LeaderAnswer>();
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const sent = request({ ...at, agent, signal, method, path, headers }, (response) => {
    read(response, maxBytes).then(answered.resolve, answered.reject);
  });
  // Also after the answer has begun: an error that nobody listens to ends the process.
  sent.on("error", answered.reject);
  sent.end(body);
  return answered.promise;
}

async function read(response: IncomingMessage, maxBytes: number): Promise<LeaderAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError("the answer is too long");
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
