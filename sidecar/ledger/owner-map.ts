/** Which objects of ours hold on to which owner. Few objects have owners, so paths are kept as they are. */
export class OwnerMap {
  readonly #children = new Map<string, Set<string>>();
  readonly #owners = new Map<string, readonly string[]>();

  children(owner: string): readonly string[] {
    return [...(this.#children.get(owner) ?? [])];
  }

  /** @param owners empty: it holds on to none */
  set(child: string, owners: readonly string[]): void {
    for (const owner of this.#owners.get(child) ?? []) this.#remove(owner, child);
    if (owners.length === 0) {
      this.#owners.delete(child);
      return;
    }
    this.#owners.set(child, owners);
    for (const owner of owners) {
      const children = this.#children.get(owner) ?? new Set();
      this.#children.set(owner, children.add(child));
    }
  }

  #remove(owner: string, child: string): void {
    const children = this.#children.get(owner);
    children?.delete(child);
    if (children?.size === 0) this.#children.delete(owner);
  }
}
