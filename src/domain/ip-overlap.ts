/** Which ranges of addresses of two clusters lie over each other. */
import { parseCidr } from "./ip.js";

/** As they were given: a range, or a single address. */
export interface Overlap {
  readonly one: string;
  readonly other: string;
}

interface Interval {
  readonly text: string;
  readonly side: "one" | "other";
  readonly bits: number;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * For each range that lies over one of the other side, one pair; empty: they are apart. Texts that are neither a range nor an
 * address count for nothing.
 */
export function overlaps(one: readonly string[], other: readonly string[]): readonly Overlap[] {
  const all = [...intervals(one, "one"), ...intervals(other, "other")];
  const sorted = all.toSorted((a, b) => a.bits - b.bits || (a.first < b.first ? -1 : 1));
  // Of each side the range that reaches furthest: whatever begins before its end lies over it.
  const furthest: Partial<Record<Interval["side"], Interval>> = {};
  return sorted.flatMap((interval) => {
    const { side } = interval;
    const opposite = furthest[side === "one" ? "other" : "one"];
    const own = furthest[side];
    if (own === undefined || own.bits < interval.bits || own.last < interval.last) {
      furthest[side] = interval;
    }
    const isApart =
      opposite === undefined || opposite.bits !== interval.bits || opposite.last < interval.first;
    if (isApart) return [];
    const [first, second] = side === "one" ? [interval, opposite] : [opposite, interval];
    return [{ one: first.text, other: second.text }];
  });
}

function intervals(texts: readonly string[], side: Interval["side"]): readonly Interval[] {
  return [...new Set(texts)].flatMap((text) => {
    const whole = text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`;
    const cidr = parseCidr(whole);
    if (cidr === undefined) return [];
    const { bits, base, prefix } = cidr;
    const size = BigInt(bits - prefix);
    const first = BigInt(base) << size;
    return [{ text, side, bits, first, last: first + (1n << size) - 1n }];
  });
}
