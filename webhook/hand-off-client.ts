/**
 * A replica's way to the leader: one connection, kept open, to the address that the leader publishes on its Lease. Whoever may
 * write that Lease may send us anywhere, so what counts is the certificate: nobody but a replica gets to know a hint.
 *
 * A replica that leads itself hands over in its own process.
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { Clock } from "../src/ports/clock.js";
import { RetryableError } from "../src/ports/errors.js";
import type { HandOffBatch, HandOffReceiver, LeaderLink } from "../src/ports/hand-off.js";
import type { HandOffIdentities, HandOffIdentity } from "../src/ports/hand-off-identity.js";
import { parseAddress, type HandOffAddress } from "./hand-off-address.js";
import { HINTS_PATH } from "./hand-off-app.js";
import { writeMessage } from "./hand-off-message.js";
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

export interface HandOffClientParts {
  readonly clock: Clock;
  /** This replica's pod name; for people. */
  readonly from: string;
  readonly identities: HandOffIdentities;
  readonly receive: HandOffReceiver;
  readonly leader: () => HandOffLeader | undefined;
}

/** For the handshake too. A leader answers from memory. */
const REQUEST_MS = 2_000;
/** Half of what the server allows: it is always we who close, never in the moment in which the other end does too. */
const IDLE_MS = HAND_OFF_LIMITS.keepAliveMs / 2;
const MAX_ANSWER_BYTES = 4_096;
/** Well below the time after which either side lets an idle connection go; a new leader is greeted as soon. */
const KEEP_OPEN_MS = 5_000;

interface Connection {
  readonly agent: Agent;
  readonly leader: HandOffLeader;
  readonly at: HandOffAddress;
  readonly identity: HandOffIdentity;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

export class HandOffClient implements LeaderLink {
  #connection: Connection | undefined;

  constructor(private readonly parts: HandOffClientParts) {}

  get leader(): string | undefined {
    return this.parts.leader()?.processId;
  }

  async deliver(batch: HandOffBatch, signal: AbortSignal): Promise<void> {
    const leader = this.parts.leader();
    if (leader === undefined) throw failed("nobody leads");
    if (leader.isUs) {
      this.stop();
      if (!this.parts.receive(batch)) throw failed("this replica does not lead yet");
      return;
    }
    const connection = this.#connectionTo(leader);
    const body = writeMessage({ from: this.parts.from, batch });
    const { status, text } = await this.#inTime(signal, leader, (cut) =>
      post(connection, body, cut),
    );
    if (status !== 200) throw failed(`${leader.identity} answered ${status}: ${text}`);
  }

  /**
   * Keeps a connection to the leader of the moment open until `signal` aborts, so that no hint waits for a handshake. Never
   * rejects: that the leader cannot be reached is said when there is a hint for it.
   */
  async keepOpen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.parts.leader()?.isUs === false) {
        await this.deliver({ hints: [], resync: false }, signal).catch(() => undefined);
      }
      await this.parts.clock.sleep(KEEP_OPEN_MS, signal);
    }
  }

  /** Closes the connection. A later delivery opens another. */
  stop(): void {
    this.#connection?.agent.destroy();
    this.#connection = undefined;
  }

  /** The one that is open, if it is to the same leader and made with what we are now. */
  #connectionTo(leader: HandOffLeader): Connection {
    const identity = this.parts.identities.current();
    if (identity === undefined) throw failed("there is no certificate for the hand-off yet");
    const { identity: name, address = "" } = leader;
    const at = parseAddress(address);
    if (at === undefined)
      throw failed(`${name} publishes no address for the hand-off: "${address}"`);
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
    send: (cut: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const ended = new AbortController();
    const late = new AbortController();
    const limit = this.parts.clock.sleep(REQUEST_MS, ended.signal).then(() => {
      if (!ended.signal.aborted) late.abort();
    });
    try {
      return await send(AbortSignal.any([signal, late.signal]));
    } catch (cause) {
      const why = late.signal.aborted ? `no answer within ${REQUEST_MS} ms` : String(cause);
      throw failed(`${identity} at ${address} cannot be reached: ${why}`, cause);
    } finally {
      ended.abort();
      await limit;
    }
  }
}

function failed(message: string, cause?: unknown): RetryableError {
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

function post({ agent, at }: Connection, body: string, signal: AbortSignal): Promise<Answer> {
  const answered = Promise.withResolvers<Answer>();
  const options = { ...at, agent, signal, method: "POST", path: HINTS_PATH };
  const headers = { "content-type": "application/json" };
  const sent = request({ ...options, headers }, (response) => {
    read(response).then(answered.resolve, answered.reject);
  });
  // Also after the answer has begun: an error that nobody listens to ends the process.
  sent.on("error", answered.reject);
  sent.end(body);
  return answered.promise;
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError("the answer is too long");
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
