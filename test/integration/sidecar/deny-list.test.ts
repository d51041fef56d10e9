import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { transaction } from "../../../sidecar/etcd/transaction.js";
import { Cluster } from "../../harness/cluster.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-all";
/** Every kind, of one namespace and of the cluster itself, labelled or not. */
const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { everything-test: "yes" } }] }
  secondary:
    - { group: "*", namespace: ${NS} }
`;

const { source: from, destination: to } = inject("controlPlanes");
const source = new Cluster(from);
const destination = new Cluster(to);
const link = new MirrorLink({ link: "everything", source: from, destination: to, rules: RULES });

const inSource = async (apiVersion: string, kind: string, name: string, rest: object = {}) =>
  source.create({ apiVersion, kind, metadata: { name, namespace: NS }, ...rest });

beforeAll(async () => {
  await source.createNamespace(NS, { "everything-test": "yes" });
  await source.createNode();
  await inSource("v1", "ConfigMap", "settings", { data: { a: "b" } });
  await inSource("v1", "Secret", "password", { stringData: { a: "b" } });
  await inSource("v1", "Secret", "token", {
    type: "kubernetes.io/service-account-token",
    metadata: {
      name: "token",
      namespace: NS,
      annotations: { "kubernetes.io/service-account.name": "default" },
    },
  });
  await inSource("v1", "Service", "web", { spec: { ports: [{ port: 80 }] } });
  await inSource("coordination.k8s.io/v1", "Lease", "leader", { spec: {} });
  await inSource("v1", "Event", "happened", {
    involvedObject: { kind: "ConfigMap", namespace: NS, name: "settings" },
    reason: "Tested",
  });
  await inSource("discovery.k8s.io/v1", "EndpointSlice", "slice", {
    addressType: "IPv4",
    endpoints: [],
  });
  await source.createPod(NS, "pod", { app: "web" }, "10.99.1.1");
  await inSource("apps/v1", "Deployment", "workload", {
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "none" } },
      template: {
        metadata: { labels: { app: "none" } },
        spec: { containers: [{ name: "a", image: "example.invalid/none" }] },
      },
    },
  });
  await inSource("rbac.authorization.k8s.io/v1", "Role", "reader", { rules: [] });
  await link.start();
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.close(), destination.close()]);
});

describe("a rule that wants everything", () => {
  it("gets what one cluster can have of another, and nothing of what belongs to the other", async () => {
    await link.caughtUp();

    expect(await link.owned()).toEqual([
      `configmaps/${NS}/settings`,
      `namespaces/${NS}`,
      `roles/${NS}/reader`,
      `secrets/${NS}/password`,
    ]);
    expect(await link.debts()).toEqual({});
  });

  it("never takes a key that hangs on an etcd lease, whatever it is called", async () => {
    const { source: etcd } = link.etcds;
    const signal = new AbortController().signal;
    const lease = await etcd.grantLease(60, { signal });
    const { kvs } = await etcd.range({ key: `/registry/configmaps/${NS}/settings` }, { signal });
    const value = Buffer.from(
      kvs[0]?.value.toString("latin1").replaceAll("settings", "passing!") ?? "",
      "latin1",
    );
    const put = {
      kind: "put",
      key: `/registry/configmaps/${NS}/passing!`,
      value,
      lease: lease.id,
    } as const;
    await etcd.txn(transaction([], [put], []), { signal });

    await link.caughtUp();

    expect(await link.owned()).not.toContain(`configmaps/${NS}/passing!`);
    await etcd.revokeLease(lease.id, { signal });
  });

  it("leaves the destination's control plane at work", async () => {
    await waitFor(async () => destination.get("ConfigMap", NS, "kube-root-ca.crt"), {
      what: "the destination's own certificate authority in the Namespace that was mirrored",
    });

    const authority = await destination.get("ConfigMap", NS, "kube-root-ca.crt");
    const account = await destination.get("ServiceAccount", NS, "default");
    const ours = JSON.stringify(authority).includes(JSON.stringify(to.ca).slice(30, 90));
    expect(ours).toBe(true);
    expect(account?.metadata.uid).toBeDefined();
    for (const kind of [
      "ConfigMap",
      "Secret",
      "Role",
      "Service",
      "Lease",
      "EndpointSlice",
      "Pod",
    ]) {
      await expect(destination.list(kind, NS)).resolves.toBeInstanceOf(Array);
    }
  });
});
