import { describe, expect, it } from "vitest";
import { parseEndpoint } from "../../../../sidecar/etcd/options.js";

describe("parseEndpoint", () => {
  it.each([
    ["10.0.0.1:2379", false, "10.0.0.1:2379", true],
    ["10.0.0.1:2379", true, "10.0.0.1:2379", false],
    ["http://etcd-0.etcd:2379", false, "etcd-0.etcd:2379", false],
    ["https://etcd-0.etcd:2379/", true, "etcd-0.etcd:2379", true],
    [" https://[::1]:2379", false, "[::1]:2379", true],
  ])("reads %j (plain text allowed: %s) as %s, secure: %s", (text, insecure, address, secure) => {
    expect(parseEndpoint(text, insecure)).toEqual({ address, secure });
  });

  it.each([
    "",
    "etcd",
    "etcd:",
    "etcd:0",
    "etcd:70000",
    "ftp://etcd:21",
    "a b:1",
    "http://u:p@e:1",
  ])("refuses %j", (text) => {
    expect(() => parseEndpoint(text, false)).toThrow(/is no etcd endpoint/);
  });
});
