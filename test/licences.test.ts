/** What svc-ferry is made of may be used by anybody for anything: no licence of a runtime dependency asks for more than its notice. */
import { describe, expect, it } from "vitest";
import { textOf } from "./fixtures/source-text.js";

/** SPDX identifiers of licences that ask for their text to be kept, or for nothing. */
const PERMISSIVE = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Unlicense",
]);

/** Permissive as well, but rare enough to be looked at one by one: why each may be there. */
const LOOKED_AT: Readonly<Record<string, string>> = {
  "argparse PSF-2.0": "Python's own licence; of js-yaml's command line, which is in no bundle",
};

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly license?: string; readonly dev?: boolean }>
  >;
}

/** "name licence" of everything that an installation without development has. */
function runtimeLicences(): readonly string[] {
  const { packages } = JSON.parse(textOf("package-lock.json")) as Lock;
  return Object.entries(packages)
    .filter(([path, { dev = false }]) => path !== "" && !dev)
    .map(([path, { license = "none" }]) => `${path.replace(/^.*node_modules\//, "")} ${license}`);
}

/** Of an SPDX expression: one of several to choose from has to be permissive, and all that hold together. */
function isPermissive(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((licence) => PERMISSIVE.has(licence)));
}

describe("licences", () => {
  it("of runtime dependencies are permissive, or were looked at", () => {
    const all = runtimeLicences();

    const others = all.filter((one) => !isPermissive(one.slice(one.indexOf(" ") + 1)));

    expect(all.length).toBeGreaterThan(50);
    expect([...new Set(others)]).toEqual(Object.keys(LOOKED_AT));
  });

  it.each([
    ["MIT", true],
    ["(BSD-3-Clause OR GPL-2.0)", true],
    ["MIT AND ISC", true],
    ["MIT AND GPL-3.0", false],
    ["AGPL-3.0-only", false],
    ["SEE LICENSE IN LICENSE.txt", false],
    ["none", false],
  ])("takes %s for permissive: %s", (expression, permissive) => {
    expect(isPermissive(expression)).toBe(permissive);
  });
});
