/** IP addresses as numbers: what the address rules need, without Node's built-ins. */

export type Cidr =
  | { readonly bits: 32; readonly base: number; readonly prefix: number }
  | { readonly bits: 128; readonly base: bigint; readonly prefix: number };

/** IPv4 as an ordinary number: of 100,000 endpoints nearly all are, and a bigint is made anew for each step of a calculation. */
type Address =
  { readonly bits: 32; readonly value: number } | { readonly bits: 128; readonly value: bigint };

/** undefined when `text` is no address. IPv4-mapped IPv6 addresses count as the IPv4 address that they carry. */
function parseAddress(text: string): Address | undefined {
  if (!text.includes(":")) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  return value >> 32n === 0xffffn
    ? { bits: 32, value: Number(value & 0xffffffffn) }
    : { bits: 128, value };
}

/** "10.0.0.0/8" or "fd00::/8"; undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, length, ...rest] = text.split("/");
  const parsed = parseAddress(address ?? "");
  if (parsed === undefined || length === undefined || rest.length > 0) return undefined;
  const prefix = /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (!(prefix <= parsed.bits)) return undefined;
  return parsed.bits === 32
    ? { bits: 32, base: head32(parsed.value, prefix), prefix }
    : { bits: 128, base: parsed.value >> BigInt(128 - prefix), prefix };
}

/**
 * May this address stand in a mirror? Loopback, link-local, unspecified and multicast addresses mean another machine
 * there, or none; so does anything outside the route's ranges. A name (FQDN slice) is no address: ask only for IPs.
 *
 * @param cidrs empty: every other address is allowed
 */
export function isAllowedAddress(text: string, cidrs: readonly Cidr[]): boolean {
  const address = parseAddress(text);
  if (address === undefined || NEVER.some((cidr) => contains(cidr, address))) return false;
  return cidrs.length === 0 || cidrs.some((cidr) => contains(cidr, address));
}

function contains(cidr: Cidr, address: Address): boolean {
  if (cidr.bits === 32) {
    return address.bits === 32 && head32(address.value, cidr.prefix) === cidr.base;
  }
  return address.bits === 128 && address.value >> BigInt(128 - cidr.prefix) === cidr.base;
}

/** The first `prefix` bits. NB: no shift, which takes its count modulo 32 and would leave all bits for a prefix of 0. */
function head32(value: number, prefix: number): number {
  return Math.floor(value / 2 ** (32 - prefix));
}

const ZERO = 0x30;
const DOT = 0x2e;

/** No leading zeros: some read "010" as 10, some as 8, so nobody knows which machine is meant. */
function parseIpv4(text: string): number | undefined {
  let value = 0;
  let byte = 0;
  let digits = 0;
  let dots = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0) return undefined;
      dots += 1;
      value = value * 256 + byte;
      byte = 0;
      digits = 0;
      continue;
    }
    const digit = code - ZERO;
    const isDigit = digit >= 0 && digit <= 9;
    const isZeroInFront = digits > 0 && byte === 0;
    if (!isDigit || isZeroInFront) return undefined;
    byte = byte * 10 + digit;
    digits += 1;
    if (byte > 255) return undefined;
  }
  return dots === 3 && digits > 0 ? value * 256 + byte : undefined;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])];
  return all.reduce((value, group) => (value << 16n) | group, 0n);
}

/** The 16-bit groups of one side of "::"; a dotted IPv4 tail counts as two. */
function groups(side: string, mayEndDotted: boolean): bigint[] | undefined {
  if (side === "") return [];
  const result: bigint[] = [];
  const parts = side.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && mayEndDotted && index === parts.length - 1) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === undefined) return undefined;
      result.push(BigInt(ipv4 >>> 16), BigInt(ipv4 & 0xffff));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      result.push(BigInt(`0x${part}`));
    } else {
      return undefined;
    }
  }
  return result;
}

const NEVER: readonly Cidr[] = [
  "0.0.0.0/32",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "::/128",
  "::1/128",
  "fe80::/10",
  "ff00::/8",
].flatMap((text) => parseCidr(text) ?? []);
