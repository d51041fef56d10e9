/**
 * What was removed lately, and on which revision's word: an older observation that comes later must not bring it back. Kept
 * until the low-water mark has passed it, because nothing older is on its way then.
 */
export class Tombstones {
  readonly #revisions = new Map<string, bigint>();

  get size(): number {
    return this.#revisions.size;
  }

  /** An observation of this revision is older than the removal. */
  covers(path: string, revision: bigint): boolean {
    const removed = this.#revisions.get(path);
    return removed !== undefined && revision <= removed;
  }

  add(path: string, revision: bigint): void {
    this.#revisions.set(path, revision);
  }

  delete(path: string): void {
    this.#revisions.delete(path);
  }

  /** @param mark the low-water mark */
  passed(mark: bigint): void {
    for (const [path, revision] of this.#revisions) {
      if (revision <= mark) this.#revisions.delete(path);
    }
  }
}
