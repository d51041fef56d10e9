/**
 * Where the mirror keeps its own books: in the destination's etcd, outside the prefix of Kubernetes, one tree per link.
 *
 *     /svc-ferry/<link>/fence            who writes now; bound to a lease
 *     /svc-ferry/<link>/state            how far the link is: state.ts
 *     /svc-ferry/<link>/own/<path>       one record for each object that is ours: ledger/record.ts
 *     /svc-ferry/<link>/batch/<e>/<n>    records of one bulk transaction, until they are folded into `own`
 *     /svc-ferry/<link>/debt/<path>      what could not be written, and why: debts/debt.ts
 *     /svc-ferry/<link>/gone/<uid>       uids that were removed and must not come back; the value is when, ms
 *
 * A *path* is a key below the prefix of Kubernetes without the slash between: "configmaps/shop/web". It is the same on both
 * sides whatever their prefixes are, and its order is etcd's.
 */

/** All books of all links. */
export const BOOKS = "/svc-ferry/";

/** Names of keys of one link. */
export class Keyspace {
  /** Everything of this link. */
  readonly base: string;
  readonly fence: string;
  readonly state: string;
  readonly ownPrefix: string;
  readonly batchPrefix: string;
  readonly debtPrefix: string;
  readonly gonePrefix: string;

  /** @param link one segment: see isLinkName */
  constructor(readonly link: string) {
    this.base = `${BOOKS}${link}/`;
    this.fence = `${this.base}fence`;
    this.state = `${this.base}state`;
    this.ownPrefix = `${this.base}own/`;
    this.batchPrefix = `${this.base}batch/`;
    this.debtPrefix = `${this.base}debt/`;
    this.gonePrefix = `${this.base}gone/`;
  }

  own(path: string): string {
    return this.ownPrefix + path;
  }

  debt(path: string): string {
    return this.debtPrefix + path;
  }

  gone(uid: string): string {
    return this.gonePrefix + uid;
  }

  /** @param number within the epoch, ascending; padded, so that key order is the order of writing */
  batch(epoch: string, number: number): string {
    return `${this.batchPrefix}${epoch}/${String(number).padStart(12, "0")}`;
  }
}

/** A link's name is one path segment that reads well in logs: what Kubernetes allows as a label value, not empty. */
export function isLinkName(name: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(name);
}

/** The keys of Kubernetes objects on one side. */
export class KubePrefix {
  /** With one slash at the end: "/registry/". */
  readonly prefix: string;

  /** @param prefix as `--kube-prefix` has it, with or without slashes at the ends. Source: apiserver etcd3/store.go */
  constructor(prefix: string) {
    this.prefix = `/${prefix.replace(/^\/+|\/+$/g, "")}/`;
  }

  key(path: string): string {
    return this.prefix + path;
  }

  /** The key must be below the prefix. */
  path(key: string): string {
    return key.slice(this.prefix.length);
  }
}

/** Like etcd, in bytes of UTF-8: differs from the order of JavaScript's strings only where surrogates are involved. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return ranked(left) - ranked(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function ranked(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
