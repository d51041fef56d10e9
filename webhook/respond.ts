/**
 * Decisions as the API server reads them. What does not fit its rules exactly (version, kind, uid, no empty patch, no patch of
 * a deletion) it takes for a failed call, or worse: an error 500 for the person, whatever failurePolicy says.
 */
import { printable } from "../src/ports/printable.js";
import type { Answer, Patched, Refused } from "./admission-handler.js";
import type { AdmissionReview } from "./admission-review.js";

/** Why the answer is what it is: `outcome` in the API server's audit log and in our metrics. */
export type Outcome = Answer["kind"] | "late" | "failed";

/** The API server keeps 4,096 characters of all webhooks' warnings; 120 are what kubectl shows well. */
const MAX_WARNINGS = 3;
const MAX_WARNING_CHARS = 120;
/** Names make half of it: four of 63 characters, and a user's annotation. */
const MAX_MESSAGE_CHARS = 1_024;

const FORBIDDEN = 403;

/** The JSON of the answer to `review`. */
export function respond(
  review: AdmissionReview,
  answer: Answer,
  outcome: Outcome = answer.kind,
): string {
  const warnings = shownWarnings(answer.warnings ?? []);
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid: review.uid,
      ...decision(review, answer),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: auditAnnotations(answer, outcome),
    },
  });
}

/** The outcome that an answer really is on the wire. */
export function outcomeOf(review: AdmissionReview, answer: Answer): Outcome {
  return answer.kind === "patched" && !isPatch(review, answer) ? "allowed" : answer.kind;
}

function decision(review: AdmissionReview, answer: Answer): object {
  switch (answer.kind) {
    case "allowed":
      return { allowed: true };
    case "patched":
      return isPatch(review, answer) ? { allowed: true, ...patched(answer) } : { allowed: true };
    case "refused":
      return { allowed: false, status: status(review, answer) };
  }
}

function isPatch({ operation }: AdmissionReview, { patch }: Patched): boolean {
  return patch.length > 0 && operation !== "DELETE";
}

function patched({ patch }: Patched): object {
  return {
    patchType: "JSONPatch",
    patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
  };
}

/**
 * Forbidden, never Conflict or Invalid: on those clients try again, and `kubectl apply --force` deletes the Service and makes
 * it anew. Source: kubectl pkg/cmd/apply/patcher.go.
 */
function status({ name }: AdmissionReview, { code, message, field }: Refused): object {
  const text = printable(message, MAX_MESSAGE_CHARS);
  return {
    status: "Failure",
    code: FORBIDDEN,
    reason: "Forbidden",
    message: text,
    details: { name, kind: "services", causes: [{ reason: code, message: text, field }] },
  };
}

function shownWarnings(warnings: readonly string[]): readonly string[] {
  if (warnings.length === 0) return warnings;
  const all = [...new Set(warnings.map((text) => printable(text, MAX_WARNING_CHARS)))].filter(
    (text) => text !== "",
  );
  if (all.length <= MAX_WARNINGS) return all;
  const shown = all.slice(0, MAX_WARNINGS - 1);
  return [...shown, `and ${all.length - shown.length} more warnings of svc-ferry`];
}

function auditAnnotations(answer: Answer, outcome: Outcome): Readonly<Record<string, string>> {
  const texts: Record<string, string> = { outcome };
  if (answer.kind === "refused") texts["code"] = printable(answer.code);
  for (const [key, text] of Object.entries(answer.audit ?? {})) texts[key] = printable(text);
  return texts;
}
