/** Durations as Go writes them ("15s", "1m30s", "500ms", "1.5h"), in milliseconds inside. */
import { invalid, ok, type Parsed } from "./parsed.js";

const MS_BY_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g;

/** "1m30s" -> 90000. "0" needs no unit, as in Go; fractions of a millisecond are refused. */
export function parseDuration(text: string): Parsed<number> {
  if (text === "0") return ok(0);
  if (/^\d+(\.\d+)?$/.test(text)) return invalid("has no unit");
  if (!WHOLE.test(text)) return invalid("is not a duration");
  const ms = [...text.matchAll(PART)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (MS_BY_UNIT[unit ?? ""] ?? 0),
    0,
  );
  const rounded = Math.round(ms);
  if (Math.abs(ms - rounded) > 1e-6) return invalid("is finer than a millisecond");
  return ok(rounded);
}

/** 90000 -> "1m30s": the shortest text that `parseDuration` reads back. */
export function durationText(ms: number): string {
  let rest = ms;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const size = MS_BY_UNIT[unit] ?? 1;
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text === "" ? "0s" : text;
}
