/** How long ago or how long, as kubectl writes it: two units at most, one from ten of it on. */
import { parseRfc3339 } from "../ports/timestamps.js";

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** 40 -> "40s", 90 -> "1m30s", 7,200 -> "2h". */
export function ageText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const index = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[index] ?? ["s", 1];
  const amount = Math.floor(whole / size);
  const smaller = UNITS[index + 1];
  const rest = smaller === undefined ? 0 : Math.floor((whole - amount * size) / smaller[1]);
  return amount >= 10 || rest === 0 || smaller === undefined
    ? `${amount}${unit}`
    : `${amount}${unit}${rest}${smaller[0]}`;
}

/** The age of a moment at another, both RFC 3339; undefined when either is none. */
export function ageAt(moment: string | undefined, now: string): string | undefined {
  const [then, until] = [parseRfc3339(moment ?? ""), parseRfc3339(now)];
  if (then === undefined || until === undefined) return undefined;
  return ageText((until - then) / 1_000);
}
