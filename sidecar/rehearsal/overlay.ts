/** Keys as they would be, over those that are. */
import type { Compare, KeyValue } from "../etcd/etcd.js";
import { compareKeys } from "../link/keyspace.js";

interface Written {
  readonly key: string;
  readonly value: Buffer;
  readonly modRevision: bigint;
  readonly lease: bigint;
}

/** An answer's keys, and whether there are more. */
interface Page {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export class Overlay {
  /** undefined: deleted. */
  readonly #keys = new Map<string, KeyValue | undefined>();
  #revision = 0n;

  /** Of the next write: above what the server says, and above the one before. */
  next(serverRevision: bigint): bigint {
    this.#revision = (serverRevision > this.#revision ? serverRevision : this.#revision) + 1n;
    return this.#revision;
  }

  put({ key, value, modRevision, lease }: Written): void {
    const before = this.#keys.get(key);
    this.#keys.set(key, {
      key,
      value,
      modRevision,
      lease,
      createRevision: before?.createRevision ?? modRevision,
      version: (before?.version ?? 0n) + 1n,
    });
  }

  /** Of a range only what was put here: nobody deletes ranges of what was there before. */
  delete(key: string, rangeEnd?: string): void {
    if (rangeEnd === undefined) {
      this.#keys.set(key, undefined);
      return;
    }
    for (const one of this.#keys.keys()) {
      if (isWithin(one, key, rangeEnd)) this.#keys.set(one, undefined);
    }
  }

  /** undefined: nothing is known here, ask the server. */
  holds(compare: Compare): boolean | undefined {
    const { key, rangeEnd, is } = compare;
    if (rangeEnd !== undefined || !this.#keys.has(key)) return undefined;
    const kv = this.#keys.get(key);
    if (compare.target === "value") {
      return kv !== undefined && compared(BigInt(kv.value.compare(compare.value)), is, 0n);
    }
    const found = {
      create: kv?.createRevision,
      mod: kv?.modRevision,
      version: kv?.version,
      lease: kv?.lease,
    }[compare.target];
    return compared(found ?? 0n, is, compare.value);
  }

  /** What the server answered, with what was written since. */
  merged<P extends Page>(
    page: P,
    options: { readonly key: string; readonly rangeEnd?: string | undefined },
  ): P {
    const { key, rangeEnd } = options;
    if (rangeEnd === undefined) {
      if (!this.#keys.has(key)) return page;
      const kv = this.#keys.get(key);
      return { ...page, kvs: kv === undefined ? [] : [kv], count: kv === undefined ? 0n : 1n };
    }
    // Beyond the last key of a page that is not the last, the next page answers.
    const last = page.more ? page.kvs.at(-1)?.key : undefined;
    const kvs = new Map(page.kvs.map((kv) => [kv.key, kv]));
    for (const [one, kv] of this.#keys) {
      if (!isWithin(one, key, rangeEnd)) continue;
      if (last !== undefined && compareKeys(one, last) > 0) continue;
      if (kv === undefined) kvs.delete(one);
      else kvs.set(one, kv);
    }
    return { ...page, kvs: [...kvs.values()].toSorted((a, b) => compareKeys(a.key, b.key)) };
  }
}

function isWithin(one: string, key: string, rangeEnd: string): boolean {
  return compareKeys(one, key) >= 0 && compareKeys(one, rangeEnd) < 0;
}

function compared(found: bigint, is: Compare["is"], value: bigint): boolean {
  switch (is) {
    case "=":
      return found === value;
    case "!=":
      return found !== value;
    case ">":
      return found > value;
    case "<":
      return found < value;
  }
}
