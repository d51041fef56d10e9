import { describe, expect, it } from "vitest";
import { ObjectIndex } from "../../../../src/watch/object-index.js";

function indexOf(...objects: readonly (readonly [string, readonly string[]])[]) {
  const index = new ObjectIndex<readonly string[]>((values) => values);
  for (const [key, values] of objects) index.add(key, values);
  return index;
}

describe("ObjectIndex", () => {
  it("gives no key for a value that no object has", () => {
    expect([...indexOf(["a/1", ["web"]]).keys("api")]).toEqual([]);
  });

  it("gives the one key of a value", () => {
    expect([...indexOf(["a/1", ["web"]]).keys("web")]).toEqual(["a/1"]);
  });

  it("gives all keys of a value that several objects have", () => {
    const index = indexOf(["a/1", ["web"]], ["a/2", ["web", "api"]], ["a/3", ["web"]]);

    expect([...index.keys("web")]).toEqual(["a/1", "a/2", "a/3"]);
  });

  it("counts an object that is added again once", () => {
    const index = indexOf(["a/1", ["web"]], ["a/1", ["web"]]);

    index.remove("a/1", ["web"]);

    expect([...index.keys("web")]).toEqual([]);
  });

  it("keeps the others when one object goes", () => {
    const index = indexOf(["a/1", ["web"]], ["a/2", ["web"]]);

    index.remove("a/1", ["web"]);

    expect([...index.keys("web")]).toEqual(["a/2"]);
  });

  it("keeps the one object of a value when another, that never had it, goes", () => {
    const index = indexOf(["a/1", ["web"]]);

    index.remove("a/2", ["web"]);

    expect([...index.keys("web")]).toEqual(["a/1"]);
  });
});
