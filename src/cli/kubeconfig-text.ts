/** A kubeconfig as a file, and as a Secret. Every value is written as a JSON string, which YAML reads as it stands. Pure. */
import type { MadeCredential } from "../ports/made-credential.js";

/** One context, which is the current one. @param name of context, cluster and user */
export function kubeconfigText(name: string, { server, ca, token }: MadeCredential): string {
  const called = JSON.stringify(name);
  const authority =
    ca === undefined
      ? []
      : [`      certificate-authority-data: ${Buffer.from(ca).toString("base64")}`];
  return lines([
    "apiVersion: v1",
    "kind: Config",
    `current-context: ${called}`,
    "clusters:",
    `  - name: ${called}`,
    "    cluster:",
    `      server: ${JSON.stringify(server)}`,
    ...authority,
    "users:",
    `  - name: ${called}`,
    "    user:",
    `      token: ${JSON.stringify(token)}`,
    "contexts:",
    `  - name: ${called}`,
    "    context:",
    `      cluster: ${called}`,
    `      user: ${called}`,
  ]);
}

/** As the shipped Deployment mounts it: under the key "kubeconfig". */
export function secretText(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  kubeconfig: string,
): string {
  return lines([
    "apiVersion: v1",
    "kind: Secret",
    "metadata:",
    `  namespace: ${JSON.stringify(namespace)}`,
    `  name: ${JSON.stringify(name)}`,
    "  labels:",
    "    app.kubernetes.io/name: svc-ferry",
    "type: Opaque",
    "data:",
    `  kubeconfig: ${Buffer.from(kubeconfig).toString("base64")}`,
  ]);
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
