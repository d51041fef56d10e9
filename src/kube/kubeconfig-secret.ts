/** The Secret that a kubeconfig is mounted from. */
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { KubeApi, KubeObject, ObjectRef } from "../ports/kube-api.js";
import { SECRETS } from "../ports/kube-resources.js";
import type { KeepToken } from "./bound-tokens.js";
import { isRecord, text } from "./json.js";

/** `data` is base64, by key. */
interface Secret extends KubeObject {
  readonly data?: unknown;
}

/** Another replica, or another destination's token in the same Secret, may write at the same moment. */
const ATTEMPTS = 3;
/** A write of a token is not stopped half-way: it is one request, and has the client's own limit. */
const NEVER = new AbortController().signal;

/**
 * Exchanges a token in whatever key of the Secret holds it; all else stays byte by byte. Needs `get` and `update` of this
 * one Secret. @throws RetryableError, TerminalError when it could not be done
 */
export function keepInSecret(api: KubeApi, ref: ObjectRef): KeepToken {
  return async (old, renewed) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const secret = await api.get(SECRETS, ref, NEVER);
      if (secret === undefined) throw gone(api, ref);
      const next = exchanged(secret, old, renewed);
      if (next === undefined) return;
      const result = await api.replace(SECRETS, next, { signal: NEVER });
      if (result.kind === "done") return;
      if (result.kind === "not-found") throw gone(api, ref);
      if (result.kind !== "conflict") {
        throw new TerminalError("FERRY-K011", `${api.cluster}: Secret ${ref.name}: ${result.kind}`);
      }
    }
    throw new RetryableError("FERRY-R001", `${api.cluster}: Secret ${ref.name} keeps changing`);
  };
}

/** undefined: the old token stands nowhere in it. */
function exchanged(secret: Secret, old: string, renewed: string): Secret | undefined {
  const data = isRecord(secret.data) ? secret.data : {};
  const found = Object.entries(data).flatMap(([key, value]) => {
    const plain = Buffer.from(text(value), "base64").toString("utf8");
    return plain.includes(old) ? [[key, base64(plain.replaceAll(old, renewed))] as const] : [];
  });
  if (found.length === 0) return undefined;
  return { ...secret, data: { ...data, ...Object.fromEntries(found) } };
}

function base64(plain: string): string {
  return Buffer.from(plain).toString("base64");
}

function gone(api: KubeApi, { namespace, name }: ObjectRef): TerminalError {
  return new TerminalError("FERRY-K011", `${api.cluster}: no Secret ${namespace ?? ""}/${name}`);
}
