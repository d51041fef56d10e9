import { describe, expect, it } from "vitest";
import { collectionPath, objectPath, withQuery } from "../../../../src/kube/resource-path.js";
import { services } from "./fixture/opened.js";

const leases = { ...services, group: "coordination.k8s.io", plural: "leases", kind: "Lease" };
const nodes = { ...services, plural: "nodes", kind: "Node", namespaced: false };

describe("resource paths", () => {
  it("put core kinds below /api and all others below /apis", () => {
    expect(collectionPath(services, "shop")).toBe("/api/v1/namespaces/shop/services");
    expect(objectPath(leases, { namespace: "k8s-sync", name: "leader" })).toBe(
      "/apis/coordination.k8s.io/v1/namespaces/k8s-sync/leases/leader",
    );
  });

  it("leave the namespace out for all namespaces and for cluster-scoped kinds", () => {
    expect(collectionPath(services, undefined)).toBe("/api/v1/services");
    expect(objectPath(nodes, { name: "n1" })).toBe("/api/v1/nodes/n1");
  });

  it("escape whatever could end a segment", () => {
    expect(objectPath(services, { namespace: "a/b", name: "c?d#e f" })).toBe(
      "/api/v1/namespaces/a%2Fb/services/c%3Fd%23e%20f",
    );
  });

  it.each(["", ".", ".."])("refuse the name %j, which would lead to another resource", (name) => {
    expect(() => objectPath(services, { namespace: "shop", name })).toThrow(
      expect.objectContaining({ code: "FERRY-K011" }),
    );
  });

  it("refuse a namespaced object without a namespace", () => {
    expect(() => objectPath(services, { name: "web" })).toThrow(
      expect.objectContaining({ code: "FERRY-K011" }),
    );
  });

  it("escape the values of a query and leave out what is undefined", () => {
    const query = { labelSelector: "a=b,c in (d)", limit: 500, continue: undefined, watch: true };

    expect(withQuery("/p", query)).toBe(
      "/p?labelSelector=a%3Db%2Cc%20in%20(d)&limit=500&watch=true",
    );
    expect(withQuery("/p", { limit: undefined })).toBe("/p");
  });
});
