/** Secrets as the API server checks them. Source: kubernetes pkg/apis/core/validation, ValidateSecret and ValidateSecretUpdate. */
import type { KubeObject } from "../../src/ports/kube-api.js";
import type { Problem } from "./api-failure.js";
import { sameJson } from "./json.js";
import type { KindRules } from "./kind-rules.js";

interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

export const SECRET_RULES: KindRules = {
  createsOnUpdate: false,
  needsResourceVersion: false,
  hasGeneration: false,
  complete: (object: SecretObject) => {
    const complete = { ...object, type: object.type ?? "Opaque" };
    return complete;
  },
  problems: (object: SecretObject, before: SecretObject | undefined) => [
    ...missingKeys(object),
    ...(before === undefined ? [] : forbiddenChanges(object, before)),
  ],
};

function missingKeys({ type, data = {} }: SecretObject): readonly Problem[] {
  if (type !== "kubernetes.io/tls") return [];
  return ["tls.crt", "tls.key"]
    .filter((key) => data[key] === undefined)
    .map((key) => ({ field: `data[${key}]`, what: "Required value" }));
}

function forbiddenChanges(object: SecretObject, before: SecretObject): readonly Problem[] {
  const what = "field is immutable";
  const type = object.type === before.type ? [] : [{ field: "type", what }];
  const isFrozen = before.immutable === true && !sameJson(object.data ?? {}, before.data ?? {});
  return isFrozen ? [...type, { field: "data", what: `${what} when \`immutable\` is set` }] : type;
}
