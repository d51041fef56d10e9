/**
 * Sum of a metric's samples whose labels include these, in a page as Prometheus reads it; undefined when there is none.
 */
export function metricSum(
  page: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const samples = page
    .split("\n")
    .filter((line) => line.startsWith(name))
    .map((line) => /^(\w+)(\{.*\})? (\S+)$/.exec(line))
    .filter((sample) => sample?.[1] === name)
    .filter((sample) => wanted.every((label) => sample?.[2]?.includes(label) === true));
  if (samples.length === 0) return undefined;
  return samples.reduce((sum, sample) => sum + Number(sample?.[3]), 0);
}
