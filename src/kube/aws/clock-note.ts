/** The commonest cause of a signature that nobody accepts is this machine's clock; AWS's own words hide that well. */
import type { Clock } from "../../ports/clock.js";
import { parseRfc3339 } from "../../ports/timestamps.js";
import type { AwsAnswer } from "./http.js";

/** AWS takes a signature for 5 minutes either way; half of that is worth a word. */
const NOTEWORTHY_MS = 150_000;
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** "" when the clocks agree, or the answer told no time. */
export function clockNote({ date }: Pick<AwsAnswer, "date">, clock: Clock): string {
  const theirsMs = httpDate(date);
  if (theirsMs === undefined) return "";
  const aheadMs = clock.now() - theirsMs;
  if (Math.abs(aheadMs) < NOTEWORTHY_MS) return "";
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `; this machine's clock is ${seconds} s ${aheadMs > 0 ? "ahead" : "behind"}: fix NTP`;
}

/** RFC 9110, IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". */
function httpDate(text: string): number | undefined {
  const [, day, month = "", year, time] =
    /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text) ?? [];
  const number = String(MONTHS.indexOf(month) / 3 + 1).padStart(2, "0");
  return parseRfc3339(`${year}-${number}-${day}T${time}Z`);
}
