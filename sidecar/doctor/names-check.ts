/** Whether what the rules name is there: a kind of a CRD that the source does not have matches nothing, and may be a slip. */
import { ok, warn, type Outcome } from "../../src/doctor/check.js";
import { Catalog } from "../keys/catalog.js";
import { KubePrefix } from "../link/keyspace.js";
import { readIndexes } from "../view/read-indexes.js";
import { SourceView } from "../view/source-view.js";
import type { FirstCopyParts } from "./first-copy.js";

/** @throws the signal's reason */
export async function namesOf(
  { source: etcd, sourcePrefix, encryption, rules, clock, log }: FirstCopyParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const view = new SourceView(encryption, Catalog.builtin(sourcePrefix), rules);
  const prefix = new KubePrefix(sourcePrefix);
  const peek = view.peek.bind(view);
  await readIndexes({ etcd, clock, log, signal, sourcePrefix: prefix, view, peek });
  const nothing = rules.unresolved(view.catalog);
  if (nothing.length === 0) return ok("every kind that they name is there");
  const text = nothing.map(({ line, message }) => `line ${line}: ${message}`).join("; ");
  return warn(text, {
    text: "a slip, or a CRD that is still to come: then it is mirrored when it is there",
  });
}
