import { aborted } from "./ports/aborted.js";
import type { Term } from "./ports/term.js";

/** What a core is to this. */
export interface Reigning<C> {
  /** Keeps its caches fresh until `signal` aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the source's caches are filled. */
  synced(): Promise<void>;
  /** Resolves when it has all that `other` has. */
  knowsWhat(other: C): Promise<void>;
  /** Resolves when the term is over and nothing is in flight. */
  lead(term: Term): Promise<void>;
}

/** A core whose caches are kept fresh. */
interface Reign<C> {
  readonly core: C;
  readonly caches: AbortController;
  readonly fresh: Promise<void>;
}

/**
 * The core in force, and while changed routes are taken up, the one that comes after it.
 *
 * 1. The new core fills its caches beside the old one, which goes on with everything.
 * 2. When it knows as much as the old one it is in force: admission judges by it.
 * 3. If this process leads, the old core ends what is in flight and gives the destinations' Leases back; the new one takes them
 *    and compares everything, as after a restart. The Lease in the source stays: no other replica takes over meanwhile.
 * 4. The old caches end.
 *
 * What changes while nobody writes, for as long as step 3 lasts, is in the caches of the new core already.
 */
export class Succession<C extends Reigning<C>> {
  #reign: Reign<C> | undefined;
  /** Fills its caches. */
  #heir: Reign<C> | undefined;
  /** Of the core in force, while this process leads. */
  #leading: { readonly over: AbortController; readonly ended: Promise<void> } | undefined;
  readonly #closing = new AbortController();
  readonly #synced = Promise.withResolvers<void>();

  constructor(
    /** Another core is in force from now on. */
    private readonly onChange: (core: C) => void,
  ) {}

  /** @throws TypeError before `start` */
  get core(): C {
    if (this.#reign === undefined) throw new TypeError("there is no core yet");
    return this.#reign.core;
  }

  /** Resolves when the source's caches of the core in force are filled. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** The first core. */
  start(core: C): void {
    this.#reign = begun(core);
    this.onChange(core);
    void core.synced().then(this.#synced.resolve);
  }

  /**
   * Resolves when the core is in force, or never will be, because another came after it or this ends. One that waits for a
   * cluster waits as long as it takes: the old core stays in force.
   */
  async succeed(core: C): Promise<"in force" | "overtaken"> {
    const heir = begun(core);
    const overtaken = this.#heir;
    this.#heir = heir;
    if (overtaken !== undefined) await ended(overtaken);
    const over = AbortSignal.any([this.#closing.signal, heir.caches.signal]);
    await Promise.race([core.knowsWhat(this.core), aborted(over)]);
    if (this.#heir !== heir || over.aborted) return "overtaken";
    this.#heir = undefined;
    const before = this.#reign;
    this.#reign = heir;
    this.onChange(core);
    this.#synced.resolve();
    this.#leading?.over.abort();
    // What fails there ends the term: the elector hears of it.
    await this.#leading?.ended.catch(() => undefined);
    if (before !== undefined) await ended(before);
    return "in force";
  }

  /** Leads with whichever core is in force, until the term is over and nothing is in flight. */
  async lead(term: Term): Promise<void> {
    while (!term.signal.aborted) {
      const over = new AbortController();
      const signal = AbortSignal.any([term.signal, over.signal]);
      const { number } = term;
      const part = { number, signal, permit: () => term.permit() };
      const leading = { over, ended: this.core.lead(part) };
      this.#leading = leading;
      await leading.ended;
    }
    this.#leading = undefined;
  }

  /** All caches end. */
  async close(): Promise<void> {
    this.#closing.abort();
    const all = [this.#reign, this.#heir].filter((reign) => reign !== undefined);
    await Promise.all(all.map(async (reign) => ended(reign)));
  }
}

function begun<C extends Reigning<C>>(core: C): Reign<C> {
  const caches = new AbortController();
  return { core, caches, fresh: core.start(caches.signal) };
}

async function ended({ caches, fresh }: Reign<unknown>): Promise<void> {
  caches.abort();
  await fresh;
}
