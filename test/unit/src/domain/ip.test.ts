import { describe, expect, it } from "vitest";
import { isAllowedAddress, parseCidr } from "../../../../src/domain/ip.js";

const ranges = (...texts: readonly string[]) => texts.flatMap((text) => parseCidr(text) ?? []);

describe("parseCidr", () => {
  it.each([
    "10.0.0.0/8",
    "0.0.0.0/0",
    "10.1.2.3/32",
    "fd00::/8",
    "::/0",
    "2001:db8::1/128",
    "::ffff:10.0.0.0/8",
  ])("reads %s", (text) => {
    expect(parseCidr(text)).toBeDefined();
  });

  it.each([
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "10.0.0.256/8",
    "fd00::/129",
    "fd00:::/8",
    "fd00::1::2/8",
    "1:2:3:4:5:6:7:8:9/64",
    "1.2.3.4:1:2:3:4:5:6/64",
    "web/8",
    "/8",
    "",
    "10.0.0.0/8x",
  ])("does not take %s for a range", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe("isAllowedAddress", () => {
  it.each(["10.0.0.1", "192.168.1.1", "8.8.8.8", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"])(
    "allows %s without ranges",
    (address) => {
      expect(isAllowedAddress(address, [])).toBe(true);
    },
  );

  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "239.1.2.3",
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "fe80::1%eth0",
    "not-an-address",
    "10.0.0",
  ])("never allows %s", (address) => {
    expect(isAllowedAddress(address, [])).toBe(false);
    expect(isAllowedAddress(address, ranges("0.0.0.0/0", "::/0"))).toBe(false);
  });

  it("allows what lies in one of the ranges, whatever bits of them are set beyond the prefix", () => {
    const two = ranges("10.9.9.9/8", "fd00::/8");

    expect(isAllowedAddress("10.1.2.3", two)).toBe(true);
    expect(isAllowedAddress("fd12::1", two)).toBe(true);
    expect(isAllowedAddress("11.0.0.1", two)).toBe(false);
    expect(isAllowedAddress("fc00::1", two)).toBe(false);
  });
});
