import type { Clock } from "../src/ports/clock.js";
import type { HandOffIdentities } from "../src/ports/hand-off-identity.js";
import type { LeaderPage } from "../src/ports/leader-page.js";
import { PAGE_PATH } from "./hand-off-app.js";
import { readJson } from "./json-text.js";
import { type HandOffLeader, LeaderConnection } from "./leader-connection.js";

export interface PageClientParts {
  readonly clock: Clock;
  readonly identities: HandOffIdentities;
  readonly leader: () => HandOffLeader | undefined;
}

/** A page has a hundred rows, of names and a sentence each, and forty lines of the log: a tenth of this. */
const MAX_ANSWER_BYTES = 1_024 * 1_024;
/** Whoever asks waits for it as long as a request may take. */
const PATIENT = new AbortController().signal;

/** A follower's look at the leader's page, over a connection of its own: no hint waits behind it. */
export class PageClient implements LeaderPage {
  readonly #connection: LeaderConnection;

  constructor(private readonly parts: PageClientParts) {
    this.#connection = new LeaderConnection({ ...parts, maxAnswerBytes: MAX_ANSWER_BYTES });
  }

  async ask(search: string): Promise<unknown> {
    const leader = this.parts.leader();
    if (leader === undefined || leader.isUs) return undefined;
    const asked = { method: "GET", path: `${PAGE_PATH}${search}` } as const;
    try {
      const { status, text } = await this.#connection.send(leader, asked, PATIENT);
      const json = status === 200 ? readJson(Buffer.from(text)) : undefined;
      return json?.kind === "json" ? json.value : undefined;
    } catch {
      // No line for it: the page says that the leader could not be asked, and the outbox has its own word about the hand-off.
      return undefined;
    }
  }

  /** Closes the connection; who waits for an answer gets none. */
  stop(): void {
    this.#connection.stop();
  }
}
