/** A replica's way to the leader, for hints. A replica that leads itself hands over in its own process. */
import type { Clock } from "../src/ports/clock.js";
import type { HandOffBatch, HandOffReceiver, LeaderLink } from "../src/ports/hand-off.js";
import type { HandOffIdentities } from "../src/ports/hand-off-identity.js";
import { HINTS_PATH } from "./hand-off-app.js";
import { writeMessage } from "./hand-off-message.js";
import { handOffFailed, type HandOffLeader, LeaderConnection } from "./leader-connection.js";

export interface HandOffClientParts {
  readonly clock: Clock;
  /** This replica's pod name; for people. */
  readonly from: string;
  readonly identities: HandOffIdentities;
  readonly receive: HandOffReceiver;
  readonly leader: () => HandOffLeader | undefined;
}

const MAX_ANSWER_BYTES = 4_096;
/** Well below the time after which either side lets an idle connection go; a new leader is greeted as soon. */
const KEEP_OPEN_MS = 5_000;

export class HandOffClient implements LeaderLink {
  readonly #connection: LeaderConnection;

  constructor(private readonly parts: HandOffClientParts) {
    this.#connection = new LeaderConnection({ ...parts, maxAnswerBytes: MAX_ANSWER_BYTES });
  }

  get leader(): string | undefined {
    return this.parts.leader()?.processId;
  }

  async deliver(batch: HandOffBatch, signal: AbortSignal): Promise<void> {
    const leader = this.parts.leader();
    if (leader === undefined) throw handOffFailed("nobody leads");
    if (leader.isUs) {
      this.stop();
      if (!this.parts.receive(batch)) throw handOffFailed("this replica does not lead yet");
      return;
    }
    const body = writeMessage({ from: this.parts.from, batch });
    const asked = { method: "POST", path: HINTS_PATH, body } as const;
    const { status, text } = await this.#connection.send(leader, asked, signal);
    if (status !== 200) throw handOffFailed(`${leader.identity} answered ${status}: ${text}`);
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
    this.#connection.stop();
  }
}
