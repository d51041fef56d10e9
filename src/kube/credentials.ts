/** The credential that requests carry, and how another one takes its place without a gap. */
import { type ErrorCode, RetryableError, TerminalError } from "../ports/errors.js";
import { BoundTokens, type BoundTokensDeps } from "./bound-tokens.js";
import { bearerOf, type Credential } from "./credential.js";
import { introduce } from "./introduce.js";
import { type Life, serviceAccountToken } from "./life.js";
import type { Offer, Offers } from "./offers.js";

export interface CredentialsDeps extends BoundTokensDeps {
  /** Hears of each credential that is taken into use; undefined: no end is known. */
  readonly onLife: (life: Life | undefined) => void;
  /** Hears whether what is offered cannot be used, each time that changes. */
  readonly onTrouble: (isInTrouble: boolean) => void;
}

/** Mounted Secrets and ServiceAccount tokens change a minute or more before the old ones end; this is soon enough. */
const RECHECK_MS = 10_000;
/** Between two renewals that a 401 asked for: a server that refuses everyone must not make us run plugins all day. */
const RENEW_PAUSE_MS = 10_000;

/**
 * The credential of one cluster. Requests bring about another look at what is offered, at most every 10 s; a Lease that is
 * read every 2 s makes that a timer. Requests do not wait for it.
 *
 * 1. Something else is offered: another kubeconfig, server, CA, or only a younger token.
 * 2. The cluster is asked who it is with it, over a connection of its own. It must let us in, and be the same cluster.
 * 3. Only then do requests carry it. Those under way end on the old connections, which close after them.
 *
 * What fails on the way is logged once and told to `onTrouble`; what was in use stays in use.
 */
export class Credentials {
  #current: Credential | undefined;
  #edition = 0;
  /** Of the cluster's kube-system, once it was needed. */
  #uid: string | undefined;
  #refreshing: Promise<void> | undefined;
  #checkAtMs = 0;
  #renewAllowedAtMs = 0;
  #lastTrouble = "";
  /** Of the last look, when a later one may go better. */
  #failure: RetryableError | undefined;
  #warnedOfNoEnd = false;
  /** Of the kubeconfig in use. */
  #bound: BoundTokens;

  constructor(
    private readonly offers: Offers,
    private readonly deps: CredentialsDeps,
  ) {
    this.#bound = new BoundTokens(undefined, deps);
  }

  /** @throws RetryableError FERRY-K005 when no valid credential can be had now */
  async current(): Promise<Credential> {
    if (this.#isUrgent()) {
      await this.#refresh();
    } else if (this.deps.clock.monotonicMs() >= this.#checkAtMs) {
      // Never rejects, and ends by itself: what is in use serves while the next is being proven.
      void this.#refresh();
    }
    if (this.#current === undefined || (this.#isUrgent() && this.#failure !== undefined)) {
      throw this.#failure ?? new RetryableError("FERRY-K005", this.#lastTrouble);
    }
    return this.#current;
  }

  /**
   * The server answered 401 to `rejected`. True when there is another one to try now: a plugin's cache is dropped and
   * files are read again for it, at most every 10 s.
   */
  async renew(rejected: Credential): Promise<boolean> {
    await this.#refreshing;
    const nowMs = this.deps.clock.monotonicMs();
    if (this.#current?.id === rejected.id && nowMs >= this.#renewAllowedAtMs) {
      this.#renewAllowedAtMs = nowMs + RENEW_PAUSE_MS;
      this.offers.drop();
      await this.#refresh();
    }
    return this.#current?.id !== rejected.id;
  }

  /** There is none, or it has ended by our own clock: waiting for another costs nothing. */
  #isUrgent(): boolean {
    const life = this.#current?.life;
    const hasEnded = life !== undefined && this.deps.clock.now() >= life.endsAtMs;
    return this.#current === undefined || hasEnded;
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#checkAtMs = this.deps.clock.monotonicMs() + RECHECK_MS;
      this.#refreshing = this.#look().finally(() => {
        this.#refreshing = undefined;
      });
    }
    return this.#refreshing;
  }

  async #look(): Promise<void> {
    try {
      const offer = await this.offers.next();
      await this.#use(offer);
      this.#settle(offer.trouble);
    } catch (error) {
      await this.#useFormer();
      this.#settle(error);
    }
  }

  /** The newest kubeconfig is no good: what the one in use offers may be younger than what requests carry. */
  async #useFormer(): Promise<void> {
    try {
      const offer = await this.offers.former();
      if (offer !== undefined) await this.#use(offer);
    } catch {
      // The trouble with the newest one is told, and is what has to be mended.
    }
  }

  async #use(offer: Offer): Promise<void> {
    const isFirst = this.#current === undefined;
    const current = await this.#take(offer);
    // The first request does not wait for a renewal.
    if (!isFirst && (await this.#bound.renew(current))) await this.#take(offer);
    await this.#bound.keep();
  }

  async #take(offer: Offer): Promise<Credential> {
    const { ownToken, edition } = offer;
    const isSame = this.#bound.given === ownToken;
    const bound = isSame ? this.#bound : new BoundTokens(ownToken, this.deps);
    const next = bound.latest(offer.credential);
    const current = this.#current;
    const isNew = current?.id !== next.id;
    if (isNew && current !== undefined) await this.#prove(next, current);
    if (isNew && current !== undefined && this.#edition !== edition) {
      this.deps.log.info({ server: next.origin }, "kubeconfig changed");
    }
    if (isNew) {
      this.#current = next;
      this.deps.onLife(next.life);
      this.#warnOfNoEnd(next);
    }
    this.#bound = bound;
    this.#edition = edition;
    this.offers.accept(offer);
    return next;
  }

  /** @throws RetryableError, TerminalError when `next` is not to be used */
  async #prove(next: Credential, current: Credential): Promise<void> {
    if (isAnonymous(next) && !isAnonymous(current)) {
      // NB: a server that lets anonymous requests in answers them with 403, which would look like a proof.
      throw new TerminalError("FERRY-K005", `${next.origin}: the kubeconfig names no user`);
    }
    const { requests } = this.deps;
    // When the old one is refused already there is nobody left to ask; lists and watches still notice a stranger.
    this.#uid ??= await introduce(current, requests).catch(() => undefined);
    const uid = await introduce(next, requests);
    if (uid !== undefined && this.#uid !== undefined && uid !== this.#uid) {
      const text = `${next.origin} is another cluster: kube-system was ${this.#uid} and is ${uid}`;
      throw new TerminalError("FERRY-K012", text);
    }
    this.#uid ??= uid;
  }

  #settle(trouble: unknown): void {
    this.#failure = trouble instanceof RetryableError ? trouble : undefined;
    const text = trouble === undefined ? "" : messageOf(trouble);
    if (text === this.#lastTrouble) return;
    this.#lastTrouble = text;
    this.deps.onTrouble(text !== "");
    if (text === "") {
      this.deps.log.info({}, "credentials are in order again");
    } else if (this.#current !== undefined) {
      const code: ErrorCode = isCoded(trouble) ? trouble.code : "FERRY-K005";
      this.deps.log.error(
        { err: trouble, code },
        "credentials cannot be used, those from before stay in use",
      );
    }
  }

  /** A token that never ends is revoked by deleting its Secret only: whoever copies it has it for good. */
  #warnOfNoEnd({ headers }: Credential): void {
    const token = serviceAccountToken(bearerOf(headers) ?? "");
    if (this.#warnedOfNoEnd || token === undefined || token.life !== undefined) return;
    this.#warnedOfNoEnd = true;
    const { namespace, name } = token;
    this.deps.log.warn(
      { serviceAccount: `${namespace}/${name}` },
      "the token in use never ends: see docs/credentials.md for others",
    );
  }
}

function isAnonymous({ headers, tls }: Credential): boolean {
  return !headers.includes("authorization") && tls.cert === undefined;
}

function isCoded(error: unknown): error is RetryableError | TerminalError {
  return error instanceof RetryableError || error instanceof TerminalError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "credentials cannot be read";
}
