import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TestSpecification, Vitest } from "vitest/node";
import { FileOrder, LONG_FILES } from "../../../harness/file-order.js";

const ROOT = join(import.meta.dirname, "../../../..");
const [LONGEST = "", SECOND = ""] = LONG_FILES;

/** As much of vitest's own objects as an order is made of. */
function file(path: string, groupOrder: number): TestSpecification {
  const project = { config: { sequence: { groupOrder } } };
  return { moduleId: join(ROOT, path), project } as unknown as TestSpecification;
}

async function sorted(files: readonly TestSpecification[]): Promise<readonly string[]> {
  const vitest = { config: { root: ROOT } } as unknown as Vitest;
  const order = await new FileOrder(vitest).sort(files);
  return order.map(({ moduleId }) => moduleId.slice(ROOT.length + 1));
}

describe("FileOrder", () => {
  it("takes group by group, in each the long files first and then by name", async () => {
    const files = [
      file("test/b.test.ts", 1),
      file(SECOND, 1),
      file("test/a.test.ts", 1),
      file(LONGEST, 1),
      file("test/c.test.ts", 0),
    ];

    const order = await sorted(files);

    expect(order).toEqual(["test/c.test.ts", LONGEST, SECOND, "test/a.test.ts", "test/b.test.ts"]);
  });

  it("keeps all fault files together, which share servers", () => {
    const names = readdirSync(join(ROOT, "test/fault")).filter((name) => name.endsWith(".test.ts"));
    const fault = names.map((name) => `test/fault/${name}`);
    const first = LONG_FILES.findIndex((path) => fault.includes(path));

    expect(LONG_FILES.slice(first, first + fault.length).toSorted()).toEqual(fault.toSorted());
  });

  it("knows no long file that is not there", () => {
    expect(LONG_FILES.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
