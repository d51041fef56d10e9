import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_BATCH_HINTS } from "../../../src/ports/hand-off.js";
import type { Hint } from "../../../src/ports/hint.js";
import { boundedHint, readMessage, writeMessage } from "../../../webhook/hand-off-message.js";
import { HAND_OFF_LIMITS } from "../../../webhook/limits.js";
import { hintOf } from "../../fixtures/hints.js";

const WEB = hintOf("shop/web");
const GOOD = { from: "svc-ferry-0", hints: [WEB], resync: false };

const read = (value: unknown) => readMessage(Buffer.from(JSON.stringify(value)));
const readHint = (of: object) => read({ ...GOOD, hints: [WEB, { ...WEB, ...of }] });
const bad = (reason: string) => ({ kind: "bad", reason });

describe("boundedHint", () => {
  it("leaves a hint as admission makes it", () => {
    expect(boundedHint(WEB)).toEqual(WEB);
    expect(boundedHint(hintOf("shop/web", { uid: "", changeId: undefined, by: "" }))).toEqual({
      ...WEB,
      uid: "",
      changeId: undefined,
      by: "",
    });
  });

  it("cuts the user's name and makes it harmless", () => {
    const bounded = boundedHint({ ...WEB, by: `\n${"x".repeat(10_000)}` });

    expect(bounded?.by).toHaveLength(256);
    expect(bounded?.by).toMatch(/^\\nxx/);
  });

  it.each(["x".repeat(129), "with space", "é", ""])("leaves out the change-id %j", (changeId) => {
    expect(boundedHint({ ...WEB, changeId })).toEqual({ ...WEB, changeId: undefined });
  });

  it.each([
    hintOf("shop/"),
    hintOf("/web"),
    hintOf("shop/web/more"),
    hintOf("shop/.."),
    hintOf("Shop/web"),
    hintOf(`${"n".repeat(64)}/web`),
    hintOf(`shop/${"n".repeat(254)}`),
    hintOf("shop/web", { uid: "u".repeat(129) }),
  ])("has none for an object that cannot be: $service $uid", (hint) => {
    expect(boundedHint(hint)).toBeUndefined();
  });
});

describe("the hand-off's message", () => {
  it("is read as it was written, whatever is in the hints", () => {
    const text = fc.string({ unit: "binary", maxLength: 400 });
    const hints = fc.array(
      fc.record({
        service: fc.constantFrom(
          "shop/web" as const,
          "a/b-1" as const,
          `x/${"n".repeat(63)}` as const,
        ),
        operation: fc.constantFrom("create" as const, "update" as const, "delete" as const),
        changeId: fc.option(text, { nil: undefined }),
        by: text,
        uid: fc.constantFrom("", WEB.uid),
        admittedAtMs: fc.nat(),
      }),
      { maxLength: 4 },
    );

    fc.assert(
      fc.property(text, hints, fc.boolean(), (from, offered, resync) => {
        const batch = { hints: offered.flatMap((hint) => boundedHint(hint) ?? []), resync };

        const message = readMessage(Buffer.from(writeMessage({ from: `pod${from}`, batch })));

        expect(message).toMatchObject({ kind: "message", message: { batch } });
      }),
      { numRuns: 200 },
    );
  });

  it("fits into the body limit, as many hints and as long ones as there may be", () => {
    const longest = boundedHint({
      service: `${"n".repeat(63)}/${"s".repeat(253)}`,
      operation: "update",
      changeId: '"'.repeat(128),
      by: "\u2028€".repeat(300),
      uid: '"'.repeat(128),
      admittedAtMs: 8_640_000_000_000_000,
    });
    const hints = Array.from({ length: MAX_BATCH_HINTS }, () => longest as Hint);

    const text = writeMessage({ from: "p".repeat(300), batch: { hints, resync: true } });

    expect(Buffer.byteLength(text)).toBeLessThan(HAND_OFF_LIMITS.maxBodyBytes);
    expect(readMessage(Buffer.from(text)).kind).toBe("message");
  });

  it("passes over what a later release adds", () => {
    expect(read({ ...GOOD, more: 1, hints: [{ ...WEB, more: 1 }] })).toMatchObject({
      kind: "message",
      message: { batch: { hints: [WEB] } },
    });
  });

  it.each<[string, unknown, string]>([
    ["no JSON object", [], "batch is not an object"],
    ["no sender", { ...GOOD, from: undefined }, "batch.from is missing"],
    ["a long sender", { ...GOOD, from: "x".repeat(257) }, "batch.from is too long"],
    ["no hints", { ...GOOD, hints: null }, "batch.hints is missing"],
    [
      "hints that are none",
      { ...GOOD, hints: ["shop/web"] },
      "batch.hints is not a list of objects",
    ],
    ["no word about resync", { ...GOOD, resync: undefined }, "batch.resync is missing"],
    ["a word that is none", { ...GOOD, resync: "yes" }, "batch.resync is not true or false"],
    [
      "too many hints",
      { ...GOOD, hints: Array.from({ length: 501 }, () => WEB) },
      "batch.hints has more than 500 entries",
    ],
  ])("is refused with %s", (_, value, reason) => {
    expect(read(value)).toEqual(bad(reason));
  });

  it.each([
    [{ service: undefined }, 'service is no "namespace/name"'],
    [{ service: "shop" }, 'service is no "namespace/name"'],
    [{ service: "shop/../x" }, 'service is no "namespace/name"'],
    [{ service: "shop/web\n" }, 'service is no "namespace/name"'],
    [{ service: `shop/${"x".repeat(254)}` }, 'service is no "namespace/name"'],
    [{ service: 7 }, "service is not a string"],
    [{ operation: "DELETE" }, "operation is none of create, update, delete"],
    [{ operation: undefined }, "operation is none of create, update, delete"],
    [{ changeId: "x".repeat(129) }, "changeId is no id"],
    [{ changeId: "a b" }, "changeId is no id"],
    [{ uid: "u".repeat(129) }, "uid is no uid"],
    [{ by: "x".repeat(257) }, "by is too long"],
    [{ admittedAtMs: -1 }, "admittedAtMs is no time"],
    [{ admittedAtMs: 8_640_000_000_000_001 }, "admittedAtMs is no time"],
    [{ admittedAtMs: undefined }, "admittedAtMs is no time"],
    [{ admittedAtMs: 1.5 }, "admittedAtMs is not a whole number"],
  ])("is refused with a hint of %j", (of, reason) => {
    expect(readHint(of)).toEqual(bad(`batch.hints[1].${reason}`));
  });

  it("is refused when it is no JSON", () => {
    expect(readMessage(Buffer.from("{"))).toEqual(bad("the body is not JSON"));
    expect(readMessage(Buffer.alloc(0))).toEqual(bad("the body is empty"));
  });
});
