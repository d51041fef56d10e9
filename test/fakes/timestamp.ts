/** A moment (ms since the epoch) as metadata shows it: RFC 3339 in UTC, seconds cut off. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
