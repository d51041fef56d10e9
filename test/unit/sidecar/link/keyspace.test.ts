import { describe, expect, it } from "vitest";
import {
  compareKeys,
  isLinkName,
  KubePrefix,
  Keyspace,
} from "../../../../sidecar/link/keyspace.js";

describe("Keyspace", () => {
  it("keeps all of a link below its name", () => {
    const keys = new Keyspace("east");

    expect([
      keys.fence,
      keys.state,
      keys.own("configmaps/shop/web"),
      keys.debt("configmaps/shop/web"),
      keys.batch("1.ab", 7),
      keys.gone("u"),
    ]).toEqual([
      "/svc-ferry/east/fence",
      "/svc-ferry/east/state",
      "/svc-ferry/east/own/configmaps/shop/web",
      "/svc-ferry/east/debt/configmaps/shop/web",
      "/svc-ferry/east/batch/1.ab/000000000007",
      "/svc-ferry/east/gone/u",
    ]);
  });

  it("takes no name that is more than one segment", () => {
    expect(["east", "a.b_c-1", "", "a/b", "-a", "a b", "x".repeat(64)].map(isLinkName)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("KubePrefix", () => {
  it.each(["/registry", "registry", "/registry/", "//registry//"])("reads %j as one", (given) => {
    const prefix = new KubePrefix(given);

    expect(prefix.key("pods/a")).toBe("/registry/pods/a");
    expect(prefix.path("/registry/pods/a")).toBe("pods/a");
  });
});

describe("compareKeys", () => {
  it("orders as etcd does, by bytes of UTF-8", () => {
    const keys = ["a", "a/", "a/b", "a0", "b", "é", "\uffff", "😀", ""];
    const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

    expect([...keys].sort(compareKeys)).toEqual(byBytes);
  });
});
