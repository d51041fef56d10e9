import { describe, expect, it } from "vitest";
import { waitFor } from "../../../harness/wait-for.js";

describe("waitFor", () => {
  it("returns the first value that is neither undefined nor false", async () => {
    const values = [undefined, false, 0, 1];

    const value = await waitFor(() => values.shift(), { what: "a value", everyMs: 1 });

    expect(value).toBe(0);
    expect(values).toEqual([1]);
  });

  it("says what did not come true and the last value seen", async () => {
    const waiting = waitFor(() => false as const, { what: "peace", timeoutMs: 5, everyMs: 1 });

    await expect(waiting).rejects.toThrow("gave up waiting for peace after 5 ms; last seen: false");
  });

  it("goes on after a probe that throws", async () => {
    let calls = 0;
    const probe = (): string => {
      if (++calls === 1) throw new Error("not yet");
      return "there";
    };

    await expect(waitFor(probe, { what: "it", everyMs: 1 })).resolves.toBe("there");
  });

  it("shows the last error, also as the cause", async () => {
    const error = new Error("connection refused");
    const probe = async (): Promise<never> => Promise.reject(error);

    const waiting = waitFor(probe, { what: "the server", timeoutMs: 5, everyMs: 1 });

    await expect(waiting).rejects.toMatchObject({
      message: expect.stringContaining("last seen: Error: connection refused"),
      cause: error,
    });
  });

  it("does not wait for a probe that never ends", async () => {
    const waiting = waitFor(async () => new Promise<true>(() => {}), {
      what: "an answer",
      timeoutMs: 5,
    });

    await expect(waiting).rejects.toThrow("last seen: nothing, the first look did not end");
  });
});
