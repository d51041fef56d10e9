/**
 * Pays what is owed: looks at the source's current value again, with back-off and at once when the cause may be gone. Whether it
 * can be written now is the writer's to say, as for every other observation.
 *
 * What goes through the API server has a lane of its own: a server that hangs keeps nothing else waiting.
 */
import type { ApiPayer } from "../api/api-payer.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import type { DebtCode } from "./debt.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** How often it is looked which debts are due. */
const TICK_MS = 1_000;
/** What goes through the API is a debt from the start, so this is how long a Service waits for nothing. */
const API_TICK_MS = 100;
/** Looks at once; the tail's places are not taken. */
const AT_ONCE = 16;
/** Longest wait between two attempts to reach an API server that was away: as late as that after its return all is paid. */
const LONGEST_AWAY_MS = 10_000;

/** Which way the debts of a round are paid. */
type Lane = "etcd" | "api";

interface Backoff {
  readonly code: DebtCode;
  readonly waitMs: number;
  /** Monotonic ms. */
  readonly dueMs: number;
}

export class DebtPayer {
  readonly #backoffs = new Map<string, Backoff>();
  /** Paths that rules send through the API, owed for a reason that does not say so. */
  readonly #throughApi = new Set<string>();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly api: ApiPayer,
  ) {}

  /** Debts that were looked at and are looked at again later. */
  get waiting(): number {
    return this.#backoffs.size;
  }

  /** Something about this path has changed in the destination. */
  trigger(path: string): void {
    if (this.parts.books.debts.has(path)) this.#backoffs.delete(path);
  }

  /** Something has changed that many may wait for. */
  triggerAll(codes: readonly DebtCode[]): void {
    const { debts } = this.parts.books;
    // Each change of the destination asks; where 100,000 objects are owed for other reasons, to go through them takes 1.3 ms.
    if (codes.every((code) => debts.count(code) === 0)) return;
    for (const [path, { code }] of this.#backoffs) {
      if (codes.includes(code)) this.#backoffs.delete(path);
    }
  }

  /** Runs until `signal` aborts. @throws what ended the term */
  async run(signal: AbortSignal): Promise<never> {
    const [ended] = await Promise.all([this.#runEtcd(signal), this.#runApi(signal)]);
    return ended;
  }

  async #runEtcd(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      await this.#payDue("etcd", AT_ONCE, signal);
      await this.parts.clock.sleep(TICK_MS, signal);
    }
  }

  /** While the server is away one debt at a time finds out whether it is back. */
  async #runApi(signal: AbortSignal): Promise<never> {
    const tickMs = this.parts.hasApi ? API_TICK_MS : TICK_MS;
    for (let waitMs = tickMs; ;) {
      signal.throwIfAborted();
      const isAway = await this.#payDue("api", waitMs > tickMs ? 1 : AT_ONCE, signal);
      waitMs = isAway ? Math.min(waitMs * 2, LONGEST_AWAY_MS) : tickMs;
      await this.parts.clock.sleep(waitMs, signal);
    }
  }

  /** @returns whether the API server turned out to be away; the rest of the round is left for later then */
  async #payDue(lane: Lane, atFirst: number, signal: AbortSignal): Promise<boolean> {
    this.#forget();
    const due = [...this.#due(lane)];
    for (let at = 0, size = atFirst; at < due.length; at += size, size = AT_ONCE) {
      signal.throwIfAborted();
      const round = due.slice(at, at + size).map((path) => this.#pay(path, lane));
      if ((await Promise.all(round)).includes(true)) return true;
    }
    return false;
  }

  /** Debts that ended otherwise: the object went, or its own change could be written. */
  #forget(): void {
    const { debts } = this.parts.books;
    for (const waiting of [this.#backoffs, this.#throughApi]) {
      if (waiting.size <= debts.size) continue;
      for (const path of waiting.keys()) if (!debts.has(path)) waiting.delete(path);
    }
  }

  *#due(lane: Lane): Generator<string, void> {
    const { books, clock, brake } = this.parts;
    const nowMs = clock.monotonicMs();
    const isHeld = brake.isEngaged;
    for (const [path, { code }] of books.debts.all()) {
      if (this.#laneOf(path, code) !== lane || (isHeld && code === "braked")) continue;
      const backoff = this.#backoffs.get(path);
      if (backoff === undefined || backoff.code !== code || backoff.dueMs <= nowMs) yield path;
    }
  }

  #laneOf(path: string, code: DebtCode): Lane {
    const isApis = code === "via-api" || code === "api-refused" || this.#throughApi.has(path);
    return isApis ? "api" : "etcd";
  }

  /** @returns whether the API server is away */
  async #pay(path: string, lane: Lane): Promise<boolean> {
    if (!this.parts.books.debts.has(path)) return false;
    if (lane === "etcd") {
      const outcome = await this.writer.lookAgain(path);
      if (outcome === "api") this.#throughApi.add(path);
      else this.#again(path, false);
      return false;
    }
    const isAway = (await this.api.pay(path)) === "away";
    this.#again(path, isAway);
    return isAway;
  }

  /** When it is looked at next, if it is still owed. */
  #again(path: string, isAway: boolean): void {
    const { books, clock } = this.parts;
    const after = books.debts.get(path);
    if (after === undefined) {
      this.#backoffs.delete(path);
      this.#throughApi.delete(path);
      return;
    }
    const before = this.#backoffs.get(path);
    const isSame = before?.code === after.code;
    const longestMs = isAway ? LONGEST_AWAY_MS : LONGEST_WAIT_MS;
    const waitMs = isSame ? Math.min(before.waitMs * 2, longestMs) : FIRST_WAIT_MS;
    this.#backoffs.set(path, { code: after.code, waitMs, dueMs: clock.monotonicMs() + waitMs });
  }
}
