/** Namespaces as the API server completes them. */
import type { KindRules } from "./kind-rules.js";

export const NAMESPACE_RULES: KindRules = {
  createsOnUpdate: false,
  needsResourceVersion: false,
  hasGeneration: false,
  complete(object, before) {
    const { name, labels, deletionTimestamp } = object.metadata;
    const metadata = {
      ...object.metadata,
      labels: { ...labels, "kubernetes.io/metadata.name": name },
    };
    const phase = deletionTimestamp === undefined ? "Active" : "Terminating";
    const rest = { spec: { finalizers: ["kubernetes"] }, status: { phase } };
    return before === undefined
      ? { ...object, ...rest, metadata }
      : { ...rest, ...object, metadata };
  },
  problems: () => [],
};
