/**
 * Where STS answers in a region. Always the regional host: the authenticator of an EKS cluster lets no other pass, and
 * the global one lies in one region only. Partitions by the beginning of a region's name. Source: botocore
 * data/partitions.json, `regionRegex` and `dnsSuffix`.
 */

const DNS_SUFFIXES: readonly (readonly [string, string])[] = [
  ["cn-", "amazonaws.com.cn"],
  ["us-iso-", "c2s.ic.gov"],
  ["us-isob-", "sc2s.sgov.gov"],
  ["eusc-", "amazonaws.eu"],
];
/** aws and aws-us-gov. */
const COMMON_SUFFIX = "amazonaws.com";

/** Nothing else goes into a host name. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(text);
}

export function stsHost(region: string): string {
  const [, suffix = COMMON_SUFFIX] = DNS_SUFFIXES.find(([start]) => region.startsWith(start)) ?? [];
  return `sts.${region}.${suffix}`;
}
