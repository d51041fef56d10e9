/** Who may run when: never two writes of one key at once, and never an owner together with what refers to it. */

interface Link {
  /** Resolves when the last one that has the key to itself is through. */
  alone: Promise<void> | undefined;
  /** Those that share the key since then; few keys are shared. */
  shared: Set<Promise<void>> | undefined;
}

const NOBODY: readonly Promise<void>[] = [];

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
    const leave = (): void => this.#leave(key, sharing, through);
    const through: Promise<void> = result.then(leave, leave);
    this.#enter(key, sharing, through);
    return result;
  }

  #before(key: string, sharing: readonly string[]): readonly Promise<void>[] {
    const own = this.#links.get(key);
    if (own === undefined && sharing.length === 0) return NOBODY;
    const before = [...(own?.shared ?? [])];
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
    link.shared?.clear();
    for (const other of sharing) {
      const shared = this.#link(other);
      shared.shared ??= new Set();
      shared.shared.add(through);
    }
  }

  #leave(key: string, sharing: readonly string[], through: Promise<void>): void {
    const link = this.#links.get(key);
    if (link?.alone === through) link.alone = undefined;
    this.#forget(key);
    for (const other of sharing) {
      this.#links.get(other)?.shared?.delete(through);
      this.#forget(other);
    }
  }

  #forget(key: string): void {
    const link = this.#links.get(key);
    const isShared = (link?.shared?.size ?? 0) > 0;
    if (link?.alone === undefined && !isShared) this.#links.delete(key);
  }

  #link(key: string): Link {
    const link = this.#links.get(key) ?? { alone: undefined, shared: undefined };
    this.#links.set(key, link);
    return link;
  }
}
