/** Leases as the API server checks them. Facts measured on 1.36.3. */
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { Problem } from "./api-failure.js";
import { isObject, type JsonObject } from "./json.js";
import type { KindRules } from "./kind-rules.js";

/** MicroTime: exactly six digits of a second; seconds or milliseconds alone are refused. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

export const LEASE_RULES: KindRules = {
  createsOnUpdate: true,
  needsResourceVersion: true,
  hasGeneration: false,
  complete(object) {
    const complete = { ...object, spec: specOf(object) };
    return complete;
  },
  problems(object) {
    const spec = specOf(object);
    return [
      ...numberProblems(spec["leaseDurationSeconds"], "spec.leaseDurationSeconds", 1),
      ...numberProblems(spec["leaseTransitions"], "spec.leaseTransitions", 0),
      ...timeProblems(spec["renewTime"], "spec.renewTime"),
      ...timeProblems(spec["acquireTime"], "spec.acquireTime"),
    ];
  },
};

function specOf(object: KubeObject): JsonObject {
  const spec = (object as { spec?: unknown }).spec;
  return isObject(spec) ? spec : {};
}

function numberProblems(value: unknown, field: string, least: number): Problem[] {
  if (value === undefined) return [];
  const good = typeof value === "number" && Number.isInteger(value) && value >= least;
  return good
    ? []
    : [
        {
          field,
          what: `Invalid value: ${JSON.stringify(value)}: must be greater than or equal to ${least}`,
        },
      ];
}

function timeProblems(value: unknown, field: string): Problem[] {
  if (value === undefined) return [];
  const good = typeof value === "string" && MICRO_TIME.test(value);
  return good ? [] : [{ field, what: `Invalid value: ${JSON.stringify(value)}: not a MicroTime` }];
}
