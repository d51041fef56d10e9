/** Somebody who reads the source beside the tail. What was read is offered later, and may be older by then than what the tail has done. */
export interface SlowReader {
  /** Nothing that was read below this revision is offered any more. */
  isAt(revision: bigint): void;
  /** All of it was offered. */
  end(): void;
}

/**
 * What went lately, and on which revision's word: an older observation that comes later must not bring it back. Kept until the
 * low-water mark has passed it and no slow reader is behind it, because nothing older is on its way then.
 */
export class Tombstones {
  readonly #revisions = new Map<string, bigint>();
  readonly #readers = new Set<{ at: bigint }>();
  #mark = 0n;

  get size(): number {
    return this.#revisions.size;
  }

  /** Somebody may still bring what went, also what was never here. */
  get areNeeded(): boolean {
    return this.#readers.size > 0;
  }

  /** An observation of this revision is older than the removal. */
  covers(path: string, revision: bigint): boolean {
    const removed = this.#revisions.get(path);
    return removed !== undefined && revision <= removed;
  }

  add(path: string, revision: bigint): void {
    if (!this.covers(path, revision)) this.#revisions.set(path, revision);
  }

  /** It is not to be there, and there was nothing to remove, or not yet: only slow readers need to know. */
  sawGone(path: string, revision: bigint): void {
    if (this.areNeeded) this.add(path, revision);
  }

  delete(path: string): void {
    this.#revisions.delete(path);
  }

  /** Called before anything is read: nothing will be that is older than what the tail has heard of by now. */
  reads(): SlowReader {
    const reader = { at: this.#mark };
    this.#readers.add(reader);
    return {
      isAt: (revision) => {
        reader.at = revision;
      },
      end: () => void this.#readers.delete(reader),
    };
  }

  /** @param mark the low-water mark */
  passed(mark: bigint): void {
    this.#mark = mark;
    let oldest = mark;
    for (const { at } of this.#readers) if (at < oldest) oldest = at;
    for (const [path, revision] of this.#revisions) {
      if (revision <= oldest) this.#revisions.delete(path);
    }
  }

  /** Other rules judge from now on, and nothing is on its way: what left the old ones may be wanted at the same revision. */
  clear(): void {
    this.#revisions.clear();
  }
}
