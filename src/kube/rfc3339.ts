/** Timestamps as Kubernetes writes them. */

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Ms since the epoch, fractions of a second cut off; undefined when it is no timestamp. Needs no clock and no time zone. */
export function parseRfc3339(timestamp: string): number | undefined {
  const match = RFC3339.exec(timestamp);
  if (match === null) {
    return undefined;
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const local =
    daysSinceEpoch(year ?? 0, month ?? 0, day ?? 0) * DAY_MS +
    ((hour ?? 0) * 60 + (minute ?? 0)) * MINUTE_MS +
    (second ?? 0) * 1000;
  return local - offsetMs(match[7] ?? "Z");
}

/** Days from civil: https://howardhinnant.github.io/date_algorithms.html, years that begin in March. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function offsetMs(zone: string): number {
  if (zone === "Z" || zone === "z") {
    return 0;
  }
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith("-") ? -1 : 1) * minutes * MINUTE_MS;
}
