/** What is shortened in `npm test` runs in full in `npm run test:fault`. */
import { describe, expect, it } from "vitest";
import { filesOf, textOf } from "./fixtures/source-text.js";

const VARIABLE = "SVC_FERRY_TEST_FULL";
/** Whole folders, by their projects. */
const FOLDERS = ["test/fault/", "test/simulation/", "test/property/"];

describe("npm run test:fault", () => {
  it("runs every file with a long form, and no other of the integration tests", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const [, named = ""] = /--project integration (.*)$/.exec(scripts["test:fault"] ?? "") ?? [];
    const long = filesOf("test/**/*.test.ts")
      .filter(({ path, text }) => text.includes(VARIABLE) && path !== "test/long-forms.test.ts")
      .map(({ path }) => path)
      .filter((path) => !FOLDERS.some((folder) => path.startsWith(folder)));

    expect(long.length).toBeGreaterThan(0);
    expect(named.split(" ").map((name) => `test/integration/${name}.test.ts`)).toEqual(
      long.toSorted(),
    );
  });
});
