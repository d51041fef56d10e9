import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { HEAP_FLAGS } from "../../../../src/runtime/small-heap.js";

describe("the options for a small heap", () => {
  it.each(HEAP_FLAGS)("hold %s, which this Node knows", (flag) => {
    const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });

    expect(known).toContain(`  ${flag.split("=")[0]} `);
  });
});
