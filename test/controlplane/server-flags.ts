import { join } from "node:path";

/** Which address families Services get; "dual" prefers IPv4. */
export type IpFamily = "ipv4" | "ipv6" | "dual";

/** Files in a control plane's data folder, by role. */
export interface Files {
  readonly servingCert: string;
  readonly servingKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly tokens: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly kubeconfig: string;
  readonly controllerManagerKubeconfig: string;
}

/** Where each of them lies in `folder`. */
export function filesIn(folder: string): Files {
  return {
    servingCert: join(folder, "serving.crt"),
    servingKey: join(folder, "serving.key"),
    serviceAccountKey: join(folder, "service-account.key"),
    serviceAccountPublicKey: join(folder, "service-account.pub"),
    tokens: join(folder, "tokens.csv"),
    auditPolicy: join(folder, "audit-policy.json"),
    auditLog: join(folder, "audit.jsonl"),
    kubeconfig: join(folder, "kubeconfig.yaml"),
    controllerManagerKubeconfig: join(folder, "controller-manager.yaml"),
  };
}

/** Everything that differs between two API servers. */
export interface ApiServerSettings {
  readonly port: number;
  readonly etcd: string;
  readonly files: Files;
  readonly ipFamily: IpFamily;
  readonly serviceCidr: string;
  readonly audit: boolean;
}

export function etcdFlags(dataDir: string, clientPort: number): readonly string[] {
  const client = `http://127.0.0.1:${clientPort}`;
  return [
    "--name=default",
    `--data-dir=${dataDir}`,
    // Name, peers and token make the cluster's id, and two control planes must not have one.
    `--initial-cluster-token=${dataDir}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    "--listen-peer-urls=http://127.0.0.1:0", // a single member has no peers; any free port will do
    "--unsafe-no-fsync",
    // As kubeadm sets it: without it a quiet watch hears its first bookmark after two minutes.
    "--watch-progress-notify-interval=5s",
    "--log-level=warn",
  ];
}

/**
 * The advertised addresses lie in the documentation ranges (RFC 5737, RFC 3849): the API server wants one that is not
 * loopback, for the Endpoints of `default/kubernetes`, and without the flag takes the machine's own outward one.
 */
export function apiServerFlags(settings: ApiServerSettings): readonly string[] {
  const { files } = settings;
  return [
    "--bind-address=127.0.0.1",
    `--secure-port=${settings.port}`,
    `--advertise-address=${settings.ipFamily === "ipv6" ? "2001:db8::1" : "192.0.2.1"}`,
    "--external-hostname=127.0.0.1",
    `--etcd-servers=${settings.etcd}`,
    `--service-cluster-ip-range=${settings.serviceCidr}`,
    `--tls-cert-file=${files.servingCert}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--token-auth-file=${files.tokens}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    "--shutdown-delay-duration=0s",
    "--shutdown-watch-termination-grace-period=0s",
    "--profiling=false",
    ...(settings.audit
      ? [`--audit-policy-file=${files.auditPolicy}`, `--audit-log-path=${files.auditLog}`]
      : []),
  ];
}

/**
 * Controllers that would judge Nodes by kubelets, of which there are none, are off: Nodes and Pods stay as the tests make
 * them. Client limits are lifted, so that slices follow Pods at once also when hundreds change.
 */
export function controllerManagerFlags(files: Files): readonly string[] {
  return [
    `--kubeconfig=${files.controllerManagerKubeconfig}`,
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.servingCert}`,
    "--use-service-account-credentials",
    "--controllers=*,-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller",
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=1000",
    "--kube-api-burst=2000",
    "--concurrent-service-endpoint-syncs=10",
    "--concurrent-namespace-syncs=20",
    "--profiling=false",
  ];
}

/** The default range, or the given one, per family. */
export function serviceCidr(ipFamily: IpFamily): string {
  const v4 = "10.96.0.0/16";
  const v6 = "fd00:96::/112";
  switch (ipFamily) {
    case "ipv4":
      return v4;
    case "ipv6":
      return v6;
    case "dual":
      return `${v4},${v6}`;
  }
}

/**
 * Every write, once, when it is answered, with what was sent. Of ServiceAccounts also what they read, without its content;
 * those of kube-system are the cluster's own controllers.
 */
export const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Request", verbs: ["create", "update", "patch", "delete", "deletecollection"] },
    { level: "None", userGroups: ["system:serviceaccounts:kube-system"] },
    { level: "Metadata", userGroups: ["system:serviceaccounts"] },
    { level: "None" },
  ],
};
