/** Records what cannot be written, and forgets it when there is nothing to write any more. */
import type { Debt, DebtCode } from "../debts/debt.js";
import { sameDebt } from "../debts/debt-book.js";
import type { Outcome } from "./observation.js";
import type { WriterParts } from "./parts.js";

export interface Owed {
  readonly code: DebtCode;
  readonly detail?: string | undefined;
}

export class Owing {
  constructor(private readonly parts: WriterParts) {}

  /** The debt as it is to be written: what was owed before for the same reason keeps its time. */
  debt(path: string, { code, detail }: Owed, sourceRevision: bigint): Debt {
    const { books, clock } = this.parts;
    const debt = { code, sinceMs: clock.now(), sourceRevision, detail };
    const before = books.debts.get(path);
    if (before === undefined) return debt;
    return sameDebt(before, debt)
      ? before
      : { ...debt, sinceMs: before.code === code ? before.sinceMs : debt.sinceMs };
  }

  /** @throws FenceLost */
  async owe(path: string, owed: Owed, sourceRevision: bigint): Promise<Outcome> {
    const debt = this.debt(path, owed, sourceRevision);
    const { debts } = this.parts.books;
    if (debts.get(path) === undefined) {
      this.parts.log.info(
        { path, code: owed.code, detail: owed.detail },
        "cannot be written, owed",
      );
    }
    await this.#write(path, debt);
    return "owed";
  }

  /** There is nothing to be written. @throws FenceLost */
  async settle(path: string): Promise<void> {
    await this.#write(path, undefined);
  }

  async #write(path: string, debt: Debt | undefined): Promise<void> {
    const { debts } = this.parts.books;
    const write = debts.change(path, debt);
    if (write.length > 0) {
      // Without a compare but the fence's it can be sent again as often as it takes.
      for (;;) {
        const committed = await this.parts.transactions.commit({ compare: [], write, look: [] });
        if (committed.kind !== "unknown") break;
      }
    }
    debts.changed(path, debt);
  }
}
