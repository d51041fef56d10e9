import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { logSink } from "../../../../src/telemetry/log-sink.js";

const LINES = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${"x".repeat(100)}\n`);

describe("logSink", () => {
  let folder = "";
  let fd = -1;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "log-sink-"));
    fd = openSync(join(folder, "log"), "w");
  });
  afterEach(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  const written = () => readFileSync(join(folder, "log"), "utf8");

  it("has written every line once when flush resolves", async () => {
    const sink = logSink(fd);
    for (const line of LINES) sink.write(line);

    await sink.flush();

    expect(written()).toBe(LINES.join(""));
  });

  it("resolves flush when nothing was written", async () => {
    await expect(logSink(fd).flush()).resolves.toBeUndefined();
  });
});
