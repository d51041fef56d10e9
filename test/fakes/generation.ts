/** How the fake API server counts metadata.generation. */
import type { KubeObject } from "../../src/ports/kube-api.js";
import { sameJson } from "./json.js";
import type { KindRules } from "./kind-rules.js";

/** The changed object with its generation. Counts changes of labels and of everything outside metadata; annotations do not count (measured). */
export function withGeneration(
  rules: KindRules,
  after: KubeObject,
  before: KubeObject,
): KubeObject {
  if (!rules.hasGeneration) return after;
  if (sameJson(counted(after), counted(before))) return after;
  const generation = (before.metadata.generation ?? 0) + 1;
  return { ...after, metadata: { ...after.metadata, generation } };
}

function counted(object: KubeObject): unknown {
  return { ...object, metadata: { labels: object.metadata.labels } };
}
