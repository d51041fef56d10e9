import { describe, expect, it } from "vitest";
import { Catalog } from "../../../../sidecar/keys/catalog.js";
import { ownersOf } from "../../../../sidecar/transform/owner-paths.js";
import type { OwnerReference } from "../../../../sidecar/wire/stored-object.js";

const catalog = Catalog.builtin();

function pathsOf(child: string, apiVersion: string, kind: string): readonly string[] {
  const at = catalog.fromKey(`/registry/${child}`);
  if (at === undefined) throw new Error(`${child} names no object`);
  const reference: OwnerReference = {
    apiVersion,
    kind,
    name: "owner",
    uid: "uid",
    controller: undefined,
    blockOwnerDeletion: undefined,
  };
  return ownersOf(at, [reference], catalog).map(({ path }) => path);
}

describe("ownersOf", () => {
  it.each([
    [
      "in the child's own namespace",
      "configmaps/shop/a",
      "apps/v1",
      "Deployment",
      "deployments/shop/owner",
    ],
    ["of the whole cluster", "configmaps/shop/a", "v1", "Namespace", "namespaces/owner"],
    [
      "of the whole cluster, of a child like it",
      "persistentvolumes/a",
      "v1",
      "Node",
      "minions/owner",
    ],
  ])("finds an owner %s", (_, child, apiVersion, kind, path) => {
    expect(pathsOf(child, apiVersion, kind)).toEqual([path]);
  });

  it.each([
    ["in a namespace, of a child that is in none", "persistentvolumes/a", "apps/v1", "Deployment"],
    ["of a kind that nobody knows", "configmaps/shop/a", "example.com/v1", "Widget"],
    ["of another group than the kind's", "configmaps/shop/a", "v1", "Deployment"],
  ])("leaves out an owner %s", (_, child, apiVersion, kind) => {
    expect(pathsOf(child, apiVersion, kind)).toEqual([]);
  });
});
