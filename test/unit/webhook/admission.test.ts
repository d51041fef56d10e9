import { describe, expect, it } from "vitest";
import type { Service } from "../../../src/domain/objects.js";
import { stampAnnotations } from "../../../src/domain/stamp.js";
import type { Hint } from "../../../src/ports/hint.js";
import type { AdmissionReview } from "../../../webhook/admission-review.js";
import { admissionOf } from "../../fixtures/admission.js";
import { ReconcileBed } from "../../fixtures/reconcile-bed.js";
import { service } from "../../fixtures/service.js";

const plain = service("shop/web");
const web = plain.ferried();
const stamp = stampAnnotations({
  id: "change-1",
  by: "ann",
  at: "2026-01-01T00:00:00.000Z",
  signature: "s",
});
const stamped = web.with({ annotations: stamp });

function admissionBed() {
  const bed = new ReconcileBed();
  const { log } = bed;
  const hints: Hint[] = [];
  const admission = admissionOf(bed, { offer: (hint) => void hints.push(hint) });
  const validate = (
    before: Service | undefined,
    after: Service | undefined,
    { dryRun = false, aborted = false } = {},
  ) =>
    admission.validate(
      review(before, after, dryRun),
      aborted ? AbortSignal.abort() : new AbortController().signal,
    );
  const said = () => log.records.map(({ message }) => message);
  return { admission, validate, hints, said, log };
}

function review(
  before: Service | undefined,
  after: Service | undefined,
  dryRun = false,
): AdmissionReview {
  const seen = (one: Service) => ({ service: one, annotations: one.annotations });
  const common = {
    uid: "call-1",
    namespace: "shop",
    name: "web",
    dryRun,
    user: { username: "ann", uid: "", groups: [] },
    options: {},
  };
  if (after === undefined) {
    const gone = before ?? web;
    return { ...common, operation: "DELETE", object: undefined, oldObject: seen(gone) };
  }
  if (before === undefined) {
    return { ...common, operation: "CREATE", object: seen(after), oldObject: undefined };
  }
  return { ...common, operation: "UPDATE", object: seen(after), oldObject: seen(before) };
}

describe("Admission", () => {
  it("stamps at the mutating entry, and leaves a deletion alone", () => {
    const { admission } = admissionBed();

    const created = admission.mutate(review(undefined, web));

    expect(created.kind === "patched" && created.patch.length).toBe(4);
    expect(admission.mutate(review(web, undefined))).toEqual({ kind: "allowed" });
  });

  it("offers what it lets pass to the leader before it answers, with the stamp's id", () => {
    const { validate, hints, said } = admissionBed();

    const answer = validate(undefined, stamped);

    expect(answer).toMatchObject({
      kind: "allowed",
      audit: { "change-id": "change-1", target: "b/prod/web" },
    });
    expect(hints).toMatchObject([
      { service: "shop/web", operation: "create", changeId: "change-1", by: "ann" },
    ]);
    expect(said()).toEqual(["admitted"]);
  });

  it.each([
    ["a change that means nothing", stamped, stamped.annotation("example.com/x", "y")],
    ["a Service that nobody syncs", plain, plain.port(81)],
  ])("says nothing of %s", (_, before, after) => {
    const { validate, hints, said } = admissionBed();

    expect(validate(before, after)).toMatchObject({ kind: "allowed" });
    expect([hints, said()]).toEqual([[], []]);
  });

  it("offers a removal of the label and a deletion, too", () => {
    const { validate, hints } = admissionBed();

    validate(stamped, plain);
    validate(stamped, undefined);

    expect(hints.map(({ operation, uid }) => `${operation} ${uid}`)).toEqual([
      `update ${web.uid}`,
      `delete ${web.uid}`,
    ]);
    expect(hints[1]?.changeId).toBe(web.uid);
  });

  it("promises nothing on a dry run, nor when the answer has gone without it", () => {
    const { validate, hints, said } = admissionBed();

    validate(undefined, stamped, { dryRun: true });
    validate(undefined, stamped, { aborted: true });

    expect([hints, said()]).toEqual([[], []]);
  });

  it("says once what the API server asks again and again", () => {
    const { validate, hints, said } = admissionBed();

    for (let call = 0; call < 5; call += 1) validate(undefined, stamped);

    expect(said()).toEqual(["admitted"]);
    expect(hints).toHaveLength(5);
  });

  it("refuses with code, field and a line in the log", () => {
    const { validate, hints, log } = admissionBed();
    const wrong = stamped.annotation("svc-ferry.io/target-name", "Not_A_Name");

    expect(validate(undefined, wrong)).toMatchObject({ kind: "refused", code: "invalid-name" });
    expect(hints).toEqual([]);
    expect(log.records).toMatchObject([
      { message: "refused", fields: { by: "ann", code: "invalid-name", service: "shop/web" } },
    ]);
  });

  it("keeps annotations that a route copies for the rules", () => {
    const { admission } = admissionBed();

    expect(admission.keepAnnotation("example.com/other")).toBe(false);
  });
});

describe("a probe of the way to here", () => {
  const probe = web.annotation("svc-ferry.io/probe", "0123456789abcdef");

  it("is answered with a warning, and leaves neither hint nor line", () => {
    const { validate, hints, said } = admissionBed();

    expect(validate(undefined, probe, { dryRun: true })).toEqual({
      kind: "allowed",
      warnings: ["svc-ferry probe 0123456789abcdef answered by pod-1 1.2.3"],
    });
    expect(hints).toEqual([]);
    expect(said()).toEqual([]);
  });

  it("is an ordinary change when it is to be stored", () => {
    const { validate, hints } = admissionBed();

    const answer = validate(undefined, probe);

    expect(answer).toMatchObject({ kind: "allowed", warnings: [] });
    expect(hints).toHaveLength(1);
  });
});
