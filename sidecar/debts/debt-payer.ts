/**
 * Pays what is owed: looks at the source's current value again, with back-off and at once when the cause may be gone. Whether it
 * can be written now is the writer's to say, as for every other observation.
 */
import type { DebtCode } from "./debt.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";
import type { ApiPayer } from "../api/api-payer.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
/** How often it is looked which debts are due. */
const TICK_MS = 1_000;
/** Looks at once; the tail's places are not taken. */
const AT_ONCE = 16;

interface Backoff {
  readonly code: DebtCode;
  waitMs: number;
  /** Monotonic ms. */
  dueMs: number;
}

export class DebtPayer {
  readonly #backoffs = new Map<string, Backoff>();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly api: ApiPayer,
  ) {}

  /** Something about this path has changed in the destination. */
  trigger(path: string): void {
    if (this.parts.books.debts.has(path)) this.#backoffs.delete(path);
  }

  /** Something has changed that many may wait for. */
  triggerAll(codes: readonly DebtCode[]): void {
    for (const [path, { code }] of this.#backoffs) {
      if (codes.includes(code)) this.#backoffs.delete(path);
    }
  }

  /** Runs until `signal` aborts. @throws what ended the term */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      await this.payDue();
      await this.parts.clock.sleep(TICK_MS, signal);
    }
  }

  async payDue(): Promise<void> {
    const due = [...this.#due()];
    for (let at = 0; at < due.length; at += AT_ONCE) {
      await Promise.all(due.slice(at, at + AT_ONCE).map((path) => this.#pay(path)));
    }
  }

  *#due(): Generator<string, void> {
    const { books, clock, brake } = this.parts;
    const nowMs = clock.monotonicMs();
    const isHeld = brake.status.engaged;
    for (const [path, { code }] of books.debts.all()) {
      if (isHeld && code === "braked") continue;
      const backoff = this.#backoffs.get(path);
      if (backoff === undefined || backoff.code !== code || backoff.dueMs <= nowMs) yield path;
    }
  }

  async #pay(path: string): Promise<void> {
    const { books, clock } = this.parts;
    const debt = books.debts.get(path);
    if (debt === undefined) return;
    if (debt.code === "via-api" || debt.code === "api-refused") await this.api.pay(path);
    else await this.writer.lookAgain(path);
    const after = books.debts.get(path);
    if (after === undefined) {
      this.#backoffs.delete(path);
      return;
    }
    const before = this.#backoffs.get(path);
    const isSame = before?.code === after.code;
    const waitMs = isSame ? Math.min(before.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    this.#backoffs.set(path, { code: after.code, waitMs, dueMs: clock.monotonicMs() + waitMs });
  }
}
