import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumPath } from "../../../harness/chromium.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "svc-ferry-chromium-"));
  await writeFile(join(folder, "google-chrome"), "", { mode: 0o755 });
  await writeFile(join(folder, "chromium"), "", { mode: 0o644 });
});
afterAll(async () => rm(folder, { recursive: true }));

it("finds the browser on the PATH that can be executed, by any of its names", () => {
  expect(chromiumPath(["/nowhere", folder].join(delimiter))).toBe(join(folder, "google-chrome"));
});
