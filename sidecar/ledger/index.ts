/** What is ours, in memory: 32 bytes for each place in typed arrays, because a Map of a million paths takes 250 MB. */

/** What the index knows of one path. */
export interface Known {
  readonly sourceRevision: bigint;
  /** mod_revision of the destination's object as we left it, or as it was last seen to be equal. */
  readonly destinationRevision: bigint;
  readonly rule: number;
  /** Made in the epoch that is in force. */
  readonly isCurrent: boolean;
  /** Source revisions of this record can be compared with those of now: same cluster, same history. */
  readonly isComparable: boolean;
  readonly via: "etcd" | "api";
  /**
   * Fingerprint of the object as this process has written it, together with its record, where it holds nothing of the destination's
   * own; 0: look before it is written over.
   */
  readonly content: number;
}

const USED = 1;
const CURRENT = 2;
const COMPARABLE = 4;
const API = 8;
/** Bits of `#meta` above the flags. */
const RULE_SHIFT = 8;
const FIRST_CAPACITY = 1_024;
const NO_CONTENTS = new Uint32Array(0);
/** Of a table with linear probing: at 0.8 a look-up of what is not there takes about 13 steps, in 8 neighbouring bytes each. */
const MAX_LOAD = 0.8;

/**
 * Path → Known, by a 64-bit hash and linear probing. The path itself is not kept: two paths with one hash (one in 40 million
 * ledgers of a million) are taken for each other, so a hit only *suspects*. Whoever writes or deletes proves it with a compare
 * on the ledger record. Revisions are kept as doubles: exact up to 2^53.
 */
export class LedgerIndex {
  #low = new Uint32Array(FIRST_CAPACITY);
  #high = new Uint32Array(FIRST_CAPACITY);
  #source = new Float64Array(FIRST_CAPACITY);
  #destination = new Float64Array(FIRST_CAPACITY);
  #meta = new Uint32Array(FIRST_CAPACITY);
  /** Made with the first one that is not 0: sets of texts have none. What is written beyond its end is nowhere. */
  #content = NO_CONTENTS;
  #size = 0;
  readonly #ownedByRule = new Map<number, number>();
  /** Of earlier epochs, by the rules of then, as if none had been made anew since. */
  #formerByRule = new Map<number, number>();

  get size(): number {
    return this.#size;
  }

  /** Bytes that the arrays take. */
  get bytes(): number {
    return this.#low.length * 28 + this.#content.length * 4;
  }

  /** Objects that are there because of a rule. */
  ownedBy(rule: number): number {
    return this.#ownedByRule.get(rule) ?? 0;
  }

  /** Objects that are, or were when the epoch began, there because of the same rule: other rules have numbers of their own. */
  ownedLike({ rule, isCurrent }: Known): number {
    return isCurrent ? this.ownedBy(rule) : (this.#formerByRule.get(rule) ?? 0);
  }

  get(path: string): Known | undefined {
    const at = this.#find(lowHash(path), highHash(path));
    const meta = this.#meta[at] ?? 0;
    if ((meta & USED) === 0) return undefined;
    return {
      sourceRevision: BigInt(this.#source[at] ?? 0),
      destinationRevision: BigInt(this.#destination[at] ?? 0),
      rule: meta >>> RULE_SHIFT,
      isCurrent: (meta & CURRENT) !== 0,
      isComparable: (meta & COMPARABLE) !== 0,
      via: (meta & API) === 0 ? "etcd" : "api",
      content: this.#content[at] ?? 0,
    };
  }

  has(path: string): boolean {
    return ((this.#meta[this.#find(lowHash(path), highHash(path))] ?? 0) & USED) !== 0;
  }

  set(path: string, known: Known): void {
    if (this.#size + 1 > this.#low.length * MAX_LOAD) this.#grow();
    const low = lowHash(path);
    const high = highHash(path);
    const at = this.#find(low, high);
    const before = this.#meta[at] ?? 0;
    if ((before & USED) === 0) this.#size += 1;
    else count(this.#ownedByRule, before >>> RULE_SHIFT, -1);
    const wasFormer = (before & (USED | CURRENT)) === USED;
    if (!known.isCurrent && !wasFormer) count(this.#formerByRule, known.rule, 1);
    this.#low[at] = low;
    this.#high[at] = high;
    this.#source[at] = Number(known.sourceRevision);
    this.#destination[at] = Number(known.destinationRevision);
    this.#meta[at] =
      USED |
      (known.isCurrent ? CURRENT : 0) |
      (known.isComparable ? COMPARABLE : 0) |
      (known.via === "api" ? API : 0) |
      (known.rule << RULE_SHIFT);
    if (known.content !== 0 && this.#content.length === 0) {
      this.#content = new Uint32Array(this.#low.length);
    }
    if (this.#content.length > 0) this.#content[at] = known.content;
    count(this.#ownedByRule, known.rule, 1);
  }

  /** The destination's object was seen at this revision, and is what we want. */
  sawEqual(path: string, destinationRevision: bigint): void {
    const at = this.#find(lowHash(path), highHash(path));
    if (((this.#meta[at] ?? 0) & USED) === 0) return;
    this.#destination[at] = Number(destinationRevision);
    if (this.#content.length > 0) this.#content[at] = 0;
  }

  delete(path: string): void {
    const mask = this.#low.length - 1;
    let hole = this.#find(lowHash(path), highHash(path));
    const meta = this.#meta[hole] ?? 0;
    if ((meta & USED) === 0) return;
    this.#size -= 1;
    count(this.#ownedByRule, meta >>> RULE_SHIFT, -1);
    if ((meta & CURRENT) === 0) count(this.#formerByRule, meta >>> RULE_SHIFT, -1);
    // Whoever was pushed behind the hole moves into it, so that no look-up ever stops too early and no marks stay behind.
    for (let at = (hole + 1) & mask; ((this.#meta[at] ?? 0) & USED) !== 0; at = (at + 1) & mask) {
      const home = (this.#low[at] ?? 0) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        this.#move(at, hole);
        hole = at;
      }
    }
    this.#meta[hole] = 0;
  }

  /** Another epoch begins: nothing was made in it yet. */
  beginEpoch(): void {
    this.#formerByRule = new Map(this.#ownedByRule);
    for (let at = 0; at < this.#meta.length; at += 1) {
      this.#meta[at] = (this.#meta[at] ?? 0) & ~CURRENT;
    }
  }

  #find(low: number, high: number): number {
    const mask = this.#low.length - 1;
    let at = low & mask;
    while (
      ((this.#meta[at] ?? 0) & USED) !== 0 &&
      (this.#low[at] !== low || this.#high[at] !== high)
    ) {
      at = (at + 1) & mask;
    }
    return at;
  }

  #move(from: number, to: number): void {
    this.#low[to] = this.#low[from] ?? 0;
    this.#high[to] = this.#high[from] ?? 0;
    this.#source[to] = this.#source[from] ?? 0;
    this.#destination[to] = this.#destination[from] ?? 0;
    this.#meta[to] = this.#meta[from] ?? 0;
    this.#content[to] = this.#content[from] ?? 0;
  }

  #grow(): void {
    const [low, high, source] = [this.#low, this.#high, this.#source];
    const [destination, meta, content] = [this.#destination, this.#meta, this.#content];
    const capacity = low.length * 2;
    this.#low = new Uint32Array(capacity);
    this.#high = new Uint32Array(capacity);
    this.#source = new Float64Array(capacity);
    this.#destination = new Float64Array(capacity);
    this.#meta = new Uint32Array(capacity);
    this.#content = new Uint32Array(content.length * 2);
    for (let from = 0; from < meta.length; from += 1) {
      if (((meta[from] ?? 0) & USED) === 0) continue;
      const to = this.#find(low[from] ?? 0, high[from] ?? 0);
      this.#low[to] = low[from] ?? 0;
      this.#high[to] = high[from] ?? 0;
      this.#source[to] = source[from] ?? 0;
      this.#destination[to] = destination[from] ?? 0;
      this.#meta[to] = meta[from] ?? 0;
      this.#content[to] = content[from] ?? 0;
    }
  }
}

function count(byRule: Map<number, number>, rule: number, by: number): void {
  byRule.set(rule, (byRule.get(rule) ?? 0) + by);
}

/** Two hashes of 32 bits with different constants: FNV-1a, and a multiplicative one, both finished as murmur3 does. */
function lowHash(path: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at += 1) {
    hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  }
  return finished(hash);
}

function highHash(path: string): number {
  let hash = 0x9e3779b9;
  for (let at = 0; at < path.length; at += 1) {
    hash = Math.imul(hash, 0x5bd1e995) + path.charCodeAt(at);
  }
  return finished(hash);
}

function finished(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
