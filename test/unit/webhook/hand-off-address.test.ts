import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../webhook/hand-off-address.js";

describe("parseAddress", () => {
  it.each([
    ["10.0.0.7:9444", "10.0.0.7", 9_444],
    ["[fd00::7]:9444", "fd00::7", 9_444],
    ["[::ffff:10.0.0.7]:1", "::ffff:10.0.0.7", 1],
    ["svc-ferry-0.svc-ferry:65535", "svc-ferry-0.svc-ferry", 65_535],
  ])("reads %s", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  it.each([
    "",
    "10.0.0.7",
    ":9444",
    "[]:9444",
    "fd00::7:9444",
    "10.0.0.7:0",
    "10.0.0.7:65536",
    "10.0.0.7:",
    "https://10.0.0.7:9444",
    "10.0.0.7:9444/x",
    "10.0.0.7:9444\n",
    "user@host:9444",
  ])("finds none in %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
