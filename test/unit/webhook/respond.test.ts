import { describe, expect, it } from "vitest";
import type { Answer } from "../../../webhook/admission-handler.js";
import { outcomeOf, respond } from "../../../webhook/respond.js";
import { reviewOf, REVIEW_UID } from "../../fixtures/review.js";
import { service } from "../../fixtures/service.js";

const web = service("shop/web");
const creation = reviewOf(undefined, web);
const deletion = reviewOf(web, undefined);
const STAMP = { op: "add", path: "/metadata/annotations/a", value: "é" } as const;

interface Response {
  readonly warnings?: readonly string[];
  readonly patch?: string;
  readonly status?: { readonly message: string };
}
const response = (answer: Answer, review = creation): Response =>
  (JSON.parse(respond(review, answer)) as { response: Response }).response;
const warned = (...warnings: readonly string[]) => response({ kind: "allowed", warnings }).warnings;

describe("respond", () => {
  it("allows, with nothing else than what the API server asks for", () => {
    expect(JSON.parse(respond(creation, { kind: "allowed" }))).toEqual({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: REVIEW_UID, allowed: true, auditAnnotations: { outcome: "allowed" } },
    });
  });

  it("patches with the operations in base64", () => {
    const { patch = "", ...rest } = response({ kind: "patched", patch: [STAMP] });

    expect(rest).toEqual({
      uid: REVIEW_UID,
      allowed: true,
      patchType: "JSONPatch",
      auditAnnotations: { outcome: "patched" },
    });
    expect(JSON.parse(Buffer.from(patch, "base64").toString())).toEqual([STAMP]);
  });

  it.each([
    ["without operations", creation, []],
    ["of a deletion", deletion, [STAMP]],
  ])("sends no patch %s, which would be an error 500 for the user", (_, review, patch) => {
    const sent = response({ kind: "patched", patch }, review);

    expect(sent).toMatchObject({ allowed: true });
    expect(Object.keys(sent)).not.toContain("patch");
    expect(Object.keys(sent)).not.toContain("patchType");
    expect(outcomeOf(review, { kind: "patched", patch })).toBe("allowed");
  });

  it("refuses as Forbidden, with code and field for whoever reads causes", () => {
    const field = "metadata.annotations[svc-ferry.io/target-name]";

    const sent = response({ kind: "refused", code: "name-taken", message: "it is taken", field });

    expect(sent).toEqual({
      uid: REVIEW_UID,
      allowed: false,
      status: {
        status: "Failure",
        code: 403,
        reason: "Forbidden",
        message: "it is taken",
        details: {
          name: "web",
          kind: "services",
          causes: [{ reason: "name-taken", message: "it is taken", field }],
        },
      },
      auditAnnotations: { outcome: "refused", code: "name-taken" },
    });
  });

  it("lets nothing of a stranger break a line or go on without end", () => {
    const message = `web\u2028\u001b[31m${"n".repeat(2_000)}`;

    const shown = response({ kind: "refused", code: "c", message, field: "f" }).status?.message;

    expect(shown).toMatch(/^web\\u2028\\u001b\[31mn+…$/);
    expect(shown).toHaveLength(1_024);
  });

  it("shows three warnings at most, each once, short and on one line", () => {
    expect(warned()).toBeUndefined();
    expect(warned("a\nb", "a\nb", "")).toEqual(["a\\nb"]);
    expect(warned("w".repeat(500))).toEqual([`${"w".repeat(119)}…`]);
    expect(warned("a", "b", "c")).toEqual(["a", "b", "c"]);
    expect(warned("a", "b", "c", "d")).toEqual(["a", "b", "and 2 more warnings of svc-ferry"]);
  });

  it("tells the API server's audit log what the answer knows, and the real outcome", () => {
    const audit = { "change-id": "1f", target: "b/prod/web\n" } as const;

    const sent = JSON.parse(respond(creation, { kind: "allowed", audit }, "late")) as {
      response: object;
    };

    expect(sent.response).toMatchObject({
      auditAnnotations: { outcome: "late", "change-id": "1f", target: "b/prod/web\\n" },
    });
  });
});
