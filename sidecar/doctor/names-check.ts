/** Whether what the rules name is there: a kind of a CRD that the source does not have matches nothing, and may be a slip. */
import { ok, warn, type Outcome } from "../../src/doctor/check.js";
import { viewOf, type FirstCopyParts } from "./first-copy.js";

/** @throws the signal's reason */
export async function namesOf(parts: FirstCopyParts, signal: AbortSignal): Promise<Outcome> {
  const { rules, catalog } = await viewOf(parts, signal);
  const nothing = rules.unresolved(catalog);
  if (nothing.length === 0) return ok("every kind that they name is there");
  const text = nothing.map(({ line, message }) => `line ${line}: ${message}`).join("; ");
  return warn(text, {
    text: "a slip, or a CRD that is still to come: then it is mirrored when it is there",
  });
}
