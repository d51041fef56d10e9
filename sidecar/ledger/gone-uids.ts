import { HashSet } from "./hash-set.js";

/**
 * 30 days: the garbage collector remembers for as long as its controller manager lives, and hardly any lives longer; upgrades come
 * more often.
 */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

/** @param value of the uid's key: when it was removed, wall clock in ms */
export function isForgotten(value: Buffer, nowMs: number): boolean {
  return nowMs - Number(value.toString("latin1")) >= REMEMBERED_MS;
}

/**
 * Uids that this link has removed from the destination. The garbage collector there remembers owners that it found missing for as
 * long as it lives, and deletes what refers to them without a look: an object that comes back gets a fresh uid. By hash: a uid
 * that is taken for a removed one gets a fresh one too, which harms nobody.
 * Source: kubernetes pkg/controller/garbagecollector, absentOwnerCache.
 */
export class GoneUids {
  readonly #uids = new HashSet();

  get size(): number {
    return this.#uids.size;
  }

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  add(uid: string): void {
    this.#uids.add(uid);
  }

  delete(uid: string): void {
    this.#uids.delete(uid);
  }
}
