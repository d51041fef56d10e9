/** A refusal that says no more than that the namespace, and with it the Role that allowed to look into it, has gone. */
import type { KubeApi } from "../ports/kube-api.js";
import { NAMESPACES } from "../ports/kube-resources.js";
import { codeOf } from "./pace.js";

/**
 * Whether `error` is such a refusal. False also where nobody can tell: then the refusal is what it says, and whoever was refused
 * keeps what it has.
 */
export async function hasNamespaceGone(
  { api, namespace }: { readonly api: KubeApi; readonly namespace?: string | undefined },
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (namespace === undefined || codeOf(error) !== "FERRY-K006") return false;
  try {
    return (await api.get(NAMESPACES, { name: namespace }, signal)) === undefined;
  } catch {
    return false;
  }
}
