import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { termination } from "../../../../src/runtime/signals.js";

function process() {
  const source = new EventEmitter();
  const exits: number[] = [];
  const stop = termination(source, (code) => exits.push(code));
  const kill = (name: "SIGTERM" | "SIGINT") => source.emit(name, name);
  return { ...stop, source, exits, kill };
}

describe("termination", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("asks for an orderly stop at the first %s", (name) => {
    const { signal, exits, kill } = process();

    kill(name);

    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(name);
    expect(exits).toEqual([]);
  });

  it("exits at once at the second, with the code that shells expect", () => {
    const terminated = process();
    const interrupted = process();

    terminated.kill("SIGINT");
    terminated.kill("SIGTERM");
    interrupted.kill("SIGTERM");
    interrupted.kill("SIGINT");

    expect(terminated.exits).toEqual([143]);
    expect(interrupted.exits).toEqual([130]);
  });

  it("stops listening when it is released", () => {
    const { source, release } = process();

    release();

    expect(source.listenerCount("SIGTERM") + source.listenerCount("SIGINT")).toBe(0);
  });
});
