/**
 * Randomness from a seed: xoshiro128** (Blackman and Vigna), seeded by splitmix32.
 * `fork` gives independent streams, so that one more draw in one place does not
 * shift all others and a failing history can be narrowed down.
 */
import type { Random } from "../../src/ports/random.js";

export class SeededRandom implements Random {
  readonly #state: Uint32Array;

  /** @param seed any integer; its lower 32 bits count */
  constructor(readonly seed: number) {
    this.#state = splitmix(seed >>> 0);
  }

  next(): number {
    return this.#word() / 0x1_0000_0000;
  }

  id(): string {
    return hex(this.#word()) + hex(this.#word());
  }

  /** As a Kubernetes uid: 8-4-4-4-12 hexadecimal characters, version 4. */
  uuid(): string {
    const text = this.id() + this.id();
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`;
  }

  /** An integer of [low, high], both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with this probability; draws nothing for 0, so a fault that is off does not shift the history. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** One of them, all equally likely. @throws when there is none */
  pick<T>(items: readonly T[]): T {
    const index = this.int(0, items.length - 1);
    if (index >= items.length || index < 0) throw new Error("nothing to pick from");
    return items[index] as T;
  }

  /** A stream of its own, the same for the same seed and label whatever was drawn from this one since. */
  fork(label: string): SeededRandom {
    return new SeededRandom(hash(label, this.seed));
  }

  #word(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, d = 0] = s;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ (b << 9);
    s[3] = rotate(d2, 11);
    return result;
  }
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}

function splitmix(seed: number): Uint32Array {
  let at = seed;
  return Uint32Array.from({ length: 4 }, () => {
    at = (at + 0x9e3779b9) >>> 0;
    let z = at;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  });
}

/** FNV-1a over the label, from `start`. */
function hash(label: string, start: number): number {
  let value = start ^ 0x811c9dc5;
  for (const character of label)
    value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
