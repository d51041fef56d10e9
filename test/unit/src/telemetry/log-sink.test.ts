import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { waitFor } from "../../../harness/wait-for.js";
import { logSink } from "../../../../src/telemetry/log-sink.js";

const LINES = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${"x".repeat(100)}\n`);

describe("logSink", () => {
  let folder = "";
  let fd = -1;
  const clock = new VirtualClock();

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
    const sink = logSink(clock, fd);
    for (const line of LINES) sink.write(line);

    await sink.flush();

    expect(written()).toBe(LINES.join(""));
  });

  it("resolves flush when nothing was written", async () => {
    await expect(logSink(clock, fd).flush()).resolves.toBeUndefined();
  });

  it("writes the first line at once, and what follows so soon 10 ms later", async () => {
    const sink = logSink(clock, fd);

    sink.write("first\n");
    sink.write("second\n");
    sink.write("third\n");
    await waitFor(() => written() !== "", { what: "the first line" });
    const atOnce = written();
    await clock.advance(10);
    await waitFor(() => written().endsWith("third\n"), { what: "the others" });

    expect(atOnce).toBe("first\n");
    expect(written()).toBe("first\nsecond\nthird\n");
  });
});
