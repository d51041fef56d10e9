/** Moments as text without a calendar library or the clock: RFC 3339 in UTC, the one way in which they are written, and HTTP's. */

const MS_PER_DAY = 86_400_000;

/** ms since the epoch -> "2024-01-15T10:30:45.123Z". Years 0 to 9999. */
export function rfc3339(ms: number): string {
  const days = Math.floor(ms / MS_PER_DAY);
  const { year, month, day } = civilDate(days);
  const time = Math.floor(ms - days * MS_PER_DAY);
  const clock = [time / 3_600_000, (time / 60_000) % 60, (time / 1_000) % 60].map((part) =>
    padded(Math.floor(part), 2),
  );
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}T${clock.join(":")}.${padded(time % 1_000, 3)}Z`;
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** The moment in ms since the epoch; finer digits are cut. undefined when `text` is no RFC 3339 time. */
export function parseRfc3339(text: string): number | undefined {
  const parts = RFC3339.exec(text);
  if (parts === null) return undefined;
  const at = (index: number): number => Number(parts[index] ?? 0);
  if (at(2) < 1 || at(2) > 12 || at(3) < 1 || at(3) > 31) return undefined;
  if (at(4) > 23 || at(5) > 59 || at(6) > 60) return undefined;
  const milliseconds = Number((parts[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const offsetMinutes = (at(9) * 60 + at(10)) * (parts[8] === "-" ? -1 : 1);
  return (
    daysSinceEpoch(at(1), at(2), at(3)) * MS_PER_DAY +
    (at(4) * 3_600 + (at(5) - offsetMinutes) * 60 + at(6)) * 1_000 +
    milliseconds
  );
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const HTTP_MOMENT = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** "Sun, 06 Nov 1994 08:49:37 GMT" -> ms since the epoch; undefined for anything else. Source: RFC 9110 section 5.6.7. */
export function parseHttpDate(text: string): number | undefined {
  const [, day, name = "", year, ...clock] = HTTP_MOMENT.exec(text) ?? [];
  const month = MONTHS.indexOf(name) / 3 + 1;
  if (day === undefined || !Number.isInteger(month) || month < 1) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = clock.map(Number);
  const days = daysSinceEpoch(Number(year), month, Number(day));
  return days * MS_PER_DAY + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

/** Days from 1970-01-01. Source: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms (days_from_civil). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse (civil_from_days there). */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}
