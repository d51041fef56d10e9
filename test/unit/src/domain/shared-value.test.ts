import { describe, expect, it } from "vitest";
import { sharedValue } from "../../../../src/domain/shared-value.js";

describe("a shared value", () => {
  it("is the one that was given first, for all that are equal to it", () => {
    const first = sharedValue({ ports: [{ port: 80 }] });

    const second = sharedValue({ ports: [{ port: 80 }] });

    expect(second).toBe(first);
  });

  it("is another one for whatever differs", () => {
    const first = sharedValue({ ports: [{ port: 80 }] });

    const second = sharedValue({ ports: [{ port: "80" }] });

    expect(second).not.toBe(first);
    expect(second).toEqual({ ports: [{ port: "80" }] });
  });

  it("is itself when it is long, so that what is remembered stays small", () => {
    const text = "x".repeat(600);
    sharedValue({ text });

    const second = { text };

    expect(sharedValue(second)).toBe(second);
  });

  it("is forgotten after many others, so that nothing grows with what was ever said", () => {
    const first = sharedValue({ said: "first" });
    for (let index = 0; index < 1_024; index += 1) sharedValue({ index });

    const second = sharedValue({ said: "first" });

    expect(second).not.toBe(first);
    expect(second).toEqual(first);
  });
});
