import { writeFileSync } from "node:fs";
import { stringify } from "yaml";

/** What it takes to talk to one control plane as an administrator. Plain data: it travels between test processes. */
export interface ClusterConnection {
  /** Unique among the control planes of one machine's run; also the name of its context. */
  readonly name: string;
  readonly context: string;
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** PEM; the API server's own certificate. */
  readonly ca: string;
  /** Bearer token of a user in `system:masters`. */
  readonly token: string;
  /** A kubeconfig with this one context, which is current. */
  readonly kubeconfigPath: string;
  /** `http://127.0.0.1:PORT`, without TLS or authentication. */
  readonly etcd: string;
  /** The kubectl that belongs to this control plane. */
  readonly kubectlPath: string;
}

/** One context of a kubeconfig. */
export interface KubeconfigEntry {
  /** Name of the context, its cluster and its user. */
  readonly context: string;
  readonly controlPlane: Pick<ClusterConnection, "server" | "ca" | "token">;
  /** Another way to the same API server: a fault proxy's URL. */
  readonly server?: string;
  /** PEM; needed when `server` ends TLS itself (the HTTP fault proxy). */
  readonly ca?: string;
  /** Someone else than the administrator: a ServiceAccount's token. */
  readonly token?: string;
  /** The namespace of the context. */
  readonly namespace?: string;
}

/** Writes one file (mode 0600) with a context per entry; the first is current. */
export function writeKubeconfig(path: string, entries: readonly KubeconfigEntry[]): void {
  writeFileSync(path, kubeconfig(entries), { mode: 0o600 });
}

/** The same as text. */
export function kubeconfig(entries: readonly KubeconfigEntry[]): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": entries[0]?.context ?? "",
    clusters: entries.map((entry) => ({
      name: entry.context,
      cluster: {
        server: entry.server ?? entry.controlPlane.server,
        "certificate-authority-data": base64(entry.ca ?? entry.controlPlane.ca),
      },
    })),
    users: entries.map((entry) => ({
      name: entry.context,
      user: { token: entry.token ?? entry.controlPlane.token },
    })),
    contexts: entries.map((entry) => ({
      name: entry.context,
      context: {
        cluster: entry.context,
        user: entry.context,
        ...(entry.namespace === undefined ? {} : { namespace: entry.namespace }),
      },
    })),
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
