import * as fc from "fast-check";
import { BlockList, isIP, isIPv4, SocketAddress } from "node:net";
import { describe, expect, it } from "vitest";
import { isAllowedAddress, parseCidr } from "../../src/domain/ip.js";

const v4 = fc.ipV4();
const v6 = fc.ipV6().filter((text) => isIP(text) !== 0);
const address = fc.oneof(v4, v6);
const v4Range = fc.tuple(v4, fc.integer({ min: 0, max: 32 }));
const v6Range = fc.tuple(v6, fc.integer({ min: 0, max: 128 }));

/** Pieces of which addresses are made, in any order: mostly nonsense. */
const nonsense = fc
  .array(fc.constantFrom("1", "0", "ffff", "10.0.0.1", ":", "::", ".", "g", "00001", "%eth0"), {
    maxLength: 12,
  })
  .map((parts) => parts.join(""));

describe("addresses", () => {
  it("lie in a range when node:net says so", () => {
    fc.assert(
      fc.property(fc.oneof(v4Range, v6Range), address, ([base, prefix], one) => {
        fc.pre(familyOf(one) === familyOf(base));
        fc.pre(!isNever(one) && !isMapped(one) && !isMapped(base));
        const list = new BlockList();
        list.addSubnet(base, prefix, familyOf(base));

        const ranges = [parseCidr(`${base}/${prefix}`)].flatMap((range) => range ?? []);

        expect(ranges).toHaveLength(1);
        expect(isAllowedAddress(one, ranges)).toBe(list.check(one, familyOf(one)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("lie in no range of the other family", () => {
    fc.assert(
      fc.property(v4, v6, (four, six) => {
        fc.pre(!isMapped(six));
        const [all4, all6] = ["0.0.0.0/0", "::/0"].map((text) => parseCidr(text));

        expect(isAllowedAddress(four, all6 ? [all6] : [])).toBe(false);
        expect(isAllowedAddress(six, all4 ? [all4] : [])).toBe(false);
      }),
    );
  });

  it("are addresses when node:net says so", () => {
    fc.assert(
      fc.property(fc.oneof(nonsense, address), (text) => {
        fc.pre(!text.includes("%"));
        const everything = [parseCidr(`${text}/0`)].flatMap((range) => range ?? []);

        expect(everything.length === 1).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are the same however they are written", () => {
    fc.assert(
      fc.property(v6, (text) => {
        fc.pre(!isMapped(text));
        const canonical = new SocketAddress({ address: text, family: "ipv6" }).address;

        expect(parseCidr(`${text}/128`)).toEqual(parseCidr(`${canonical}/128`));
        expect(parseCidr(`${text.toUpperCase()}/128`)).toEqual(parseCidr(`${canonical}/128`));
      }),
    );
  });
});

const NEVER = new BlockList();
NEVER.addAddress("0.0.0.0");
NEVER.addSubnet("127.0.0.0", 8);
NEVER.addSubnet("169.254.0.0", 16);
NEVER.addSubnet("224.0.0.0", 4);
NEVER.addAddress("::", "ipv6");
NEVER.addAddress("::1", "ipv6");
NEVER.addSubnet("fe80::", 10, "ipv6");
NEVER.addSubnet("ff00::", 8, "ipv6");

function isNever(text: string): boolean {
  return NEVER.check(text, familyOf(text));
}

/** Counts as IPv4 here and as IPv6 there: a rule of its own, tested by example. */
function isMapped(text: string): boolean {
  if (isIPv4(text)) return false;
  const range = parseCidr(`${text}/0`);
  return range?.bits === 32;
}

function familyOf(text: string): "ipv4" | "ipv6" {
  return isIPv4(text) ? "ipv4" : "ipv6";
}
