import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../sidecar/keys/builtin-resources.js";
import { Catalog } from "../../sidecar/keys/catalog.js";

const stored = BUILTIN_RESOURCES.filter(({ group }) => group !== "events.k8s.io");
const prefix = fc.constantFrom("/registry", "/kubernetes.io", "/a/b", "/");
/** Any text without a slash: names of roles and trust bundles are freer than labels of DNS. */
const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.includes("/"));

describe("Catalog", () => {
  it("reads back every key that it makes, whatever the name and the prefix", () => {
    fc.assert(
      fc.property(prefix, fc.constantFrom(...stored), name, name, (root, resource, ns, called) => {
        const catalog = Catalog.builtin(root);
        const namespace = resource.namespaced ? ns : undefined;

        const key = catalog.key(resource, namespace, called);

        expect(catalog.fromKey(key)).toEqual({ key, resource, namespace, name: called });
      }),
    );
  });

  it("makes, of whatever it reads, the same key again", () => {
    const segment = fc.oneof(
      fc.constantFrom(...stored.flatMap(({ path }) => path.split("/"))),
      fc.constantFrom("registry", "services", "shop", ""),
      name,
    );
    const catalog = Catalog.builtin();
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const key = `/${segments.join("/")}`;

        const found = catalog.fromKey(key);

        const again = found && catalog.key(found.resource, found.namespace, found.name);
        expect(again).toBe(found === undefined ? undefined : key);
      }),
      { numRuns: 1_000 },
    );
  });
});
