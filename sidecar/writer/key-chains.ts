/** Who may run when: never two writes of one key at once, and never an owner together with what refers to it. */

interface Link {
  /** Resolves when the last one that has the key to itself is through. */
  alone: Promise<void> | undefined;
  /** Those that share the key since then. */
  readonly shared: Set<Promise<void>>;
}

/**
 * Runs jobs in the order in which they were given for each key; jobs of different keys run side by side. A job has one key to
 * itself and may share others (its owners): sharers run together, but not with the one that has the key to itself.
 *
 * A job waits only for jobs that were given before it, so there is no circle to wait in.
 */
export class KeyChains {
  readonly #links = new Map<string, Link>();

  /** A job of this key is under way or waits. */
  isBusy(key: string): boolean {
    return this.#links.get(key)?.alone !== undefined;
  }

  /** @returns what `job` returns. NB: `job` starts at once when nothing is in its way. */
  run<T>(key: string, sharing: readonly string[], job: () => Promise<T>): Promise<T> {
    const before = this.#before(key, sharing);
    const result = before.length === 0 ? job() : Promise.all(before).then(job);
    const through = result.then(nothing, nothing);
    this.#enter(key, sharing, through);
    return result;
  }

  #before(key: string, sharing: readonly string[]): readonly Promise<void>[] {
    const own = this.#links.get(key);
    const before = own === undefined ? [] : [...own.shared];
    if (own?.alone !== undefined) before.push(own.alone);
    for (const other of sharing) {
      const alone = this.#links.get(other)?.alone;
      if (alone !== undefined) before.push(alone);
    }
    return before;
  }

  #enter(key: string, sharing: readonly string[], through: Promise<void>): void {
    const link = this.#link(key);
    link.alone = through;
    // They all end before this one does, because it waits for them.
    link.shared.clear();
    for (const other of sharing) this.#link(other).shared.add(through);
    const leave = (): void => this.#leave(key, sharing, through);
    through.then(leave, leave);
  }

  #leave(key: string, sharing: readonly string[], through: Promise<void>): void {
    const link = this.#links.get(key);
    if (link?.alone === through) link.alone = undefined;
    this.#forget(key);
    for (const other of sharing) {
      this.#links.get(other)?.shared.delete(through);
      this.#forget(other);
    }
  }

  #forget(key: string): void {
    const link = this.#links.get(key);
    if (link?.alone === undefined && link?.shared.size === 0) this.#links.delete(key);
  }

  #link(key: string): Link {
    const link = this.#links.get(key) ?? { alone: undefined, shared: new Set() };
    this.#links.set(key, link);
    return link;
  }
}

function nothing(): void {
  // Only that it is over counts here; the result is the caller's.
}
