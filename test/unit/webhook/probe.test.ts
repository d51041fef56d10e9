import { describe, expect, it } from "vitest";
import { probeAnswer } from "../../../webhook/probe.js";
import { service } from "../../fixtures/service.js";

const SELF = { podName: "pod-1", version: "1.2.3" };
const NONCE = "0123456789abcdef";
const asking = (nonce: string) => service("shop/web").annotation("svc-ferry.io/probe", nonce);

describe("probeAnswer", () => {
  it("repeats the nonce and names replica and version", () => {
    expect(probeAnswer(asking(NONCE), true, SELF)).toBe(
      `svc-ferry probe ${NONCE} answered by pod-1 1.2.3`,
    );
  });

  it("answers no change that is to be stored, and none without a nonce", () => {
    expect(probeAnswer(asking(NONCE), false, SELF)).toBeUndefined();
    expect(probeAnswer(service("shop/web"), true, SELF)).toBeUndefined();
    expect(probeAnswer(undefined, true, SELF)).toBeUndefined();
  });

  it.each(["short", "a".repeat(33), "<script>alert</script>", "0123 4567 89ab"])(
    "repeats no text of a user: %j",
    (nonce) => {
      expect(probeAnswer(asking(nonce), true, SELF)).toBeUndefined();
    },
  );

  it("fits into what kubectl shows of a warning, whatever the pod is called", () => {
    const self = { podName: `${"p".repeat(200)}-7d9-x2x`, version: "9".repeat(40) };

    const answer = probeAnswer(asking(NONCE), true, self) ?? "";

    expect(answer.length).toBeLessThanOrEqual(120);
    expect(answer).toContain("-7d9-x2x ");
  });
});
