/**
 * A destination of its own, with the rights of manifests/mirror-destination, the policy that locks mirrors, and controllers that
 * elect a leader: what the mirror asks of such a control plane, and that it goes on working beside it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { environment } from "../../controlplane/environment.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { granted, installedObjects } from "../../fixtures/installed-objects.js";
import { type Access, AccessLog } from "../../harness/access-log.js";
import { Cluster } from "../../harness/cluster.js";
import { startFerry } from "../../harness/ferry-process.js";
import type { Manifest, Stored } from "../../harness/manifest.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { render, textOfObjects } from "../../harness/overlay.js";
import { widgets } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const NS = "mirrored-with-rights";
const LEAVING = "mirrored-and-leaving";
const OWN = { "rights-test": "yes" };
const GROUP = "rights-test.example.com";
const RULES = `
filters:
  sequential:
    - { group: apiextensions.k8s.io, resources: [{ group: apiextensions.k8s.io, version: v1, kind: CustomResourceDefinition }], labelSelectors: [{ matchLabels: { rights-test: "yes" } }] }
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { rights-test: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Service }], namespaceSelectors: [{ matchLabels: { rights-test: "yes" } }] }
    - { group: "", via: api, resources: [{ group: "", version: v1, kind: ConfigMap }], namespace: ${NS} }
`;
/** All that a rule can want of kube-system, where the leaders' Leases are. */
const EVERYTHING = `
filters:
  secondary:
    - { group: "*", namespace: kube-system }
`;
/** What a person adds for the rule with via: api, as docs/mirror.md has it. */
const VIA_API = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "svc-ferry-mirror-config-maps" },
  rules: [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "create", "update", "delete"] },
  ],
};
const ACCOUNT = "system:serviceaccount:svc-ferry:svc-ferry-mirror";
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata", users: [ACCOUNT] }, { level: "None" }],
};
/** Longer than a leader goes without renewing its Lease, by far; ten minutes where time is no matter. */
const BESIDE_MS = environment()["SVC_FERRY_TEST_FULL"] === "1" ? 600_000 : 6_000;

const { source: from } = inject("controlPlanes");
const source = new Cluster(from);
let folder: string;
let plane: ControlPlane;
let destination: Cluster;
let access: AccessLog;
let link: MirrorLink;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-rights-"));
  const [policy, log] = [join(folder, "audit-policy.json"), join(folder, "audit.jsonl")];
  writeFileSync(policy, JSON.stringify(AUDIT_POLICY));
  plane = await startControlPlane({
    name: "own-destination",
    serviceCidr: "10.98.0.0/16",
    extraApiServerArgs: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    extraControllerManagerArgs: ["--leader-elect=true"],
  });
  destination = new Cluster(plane.connection());
  access = new AccessLog(log);
  const policies = installedObjects("manifests/destination").filter(({ kind }) =>
    kind.startsWith("ValidatingAdmissionPolicy"),
  );
  await apply(await render(plane, "manifests/mirror-destination"));
  await apply([...policies, VIA_API, binding("svc-ferry-mirror-config-maps")]);
  const token = await plane.kubectl(["-n", "svc-ferry", "create", "token", "svc-ferry-mirror"]);
  const kubeconfigPath = join(folder, "kubeconfig.yaml");
  const { context } = plane;
  writeKubeconfig(kubeconfigPath, [{ context, controlPlane: plane, token: token.trim() }]);
  const api = { kubeconfigPath, context };
  link = new MirrorLink({ link: "rights", source: from, destination: plane, rules: RULES, api });
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.close(), destination.close()]);
  await plane.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function apply(objects: readonly Manifest[]): Promise<void> {
  await plane.kubectl(["apply", "-f", "-"], textOfObjects(objects));
}

function binding(name: string): Manifest {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ kind: "ServiceAccount", name: "svc-ferry-mirror", namespace: "svc-ferry" }],
  } as unknown as Manifest;
}

function service(name: string, spec: object = {}, namespace = NS): Manifest {
  const ports = [{ name: "http", port: 80 }];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports, ...spec },
  };
}

const CRD = widgets(GROUP, OWN);

async function isThere(
  kind: string,
  namespace: string | undefined,
  name: string,
  is: (found: Stored) => boolean = () => true,
): Promise<void> {
  const look = async (): Promise<boolean> => {
    const found = await destination.get(kind, namespace, name);
    return found !== undefined && is(found);
  };
  await waitFor(look, { what: `${kind} ${name} as it is to be` });
}

async function isGone(kind: string, namespace: string | undefined, name: string): Promise<void> {
  const look = async () => (await destination.get(kind, namespace, name)) === undefined;
  await waitFor(look, { what: `${kind} ${name} to be gone`, timeoutMs: 30_000 });
}

const specOf = (object: Stored) => object["spec"] as { clusterIP?: string; selector?: object };

/** Each right is there for one of these lines. */
async function story(): Promise<void> {
  await source.apply(CRD);
  for (const name of [NS, LEAVING]) await source.createNamespace(name, OWN);
  await link.start();
  const data = (value: string) => ({ data: { value } });
  const metadata = { name: "settings", namespace: NS };
  await source.create({ apiVersion: "v1", kind: "ConfigMap", metadata, ...data("1") });
  await source.create(service("web"));
  await source.create(service("turning"));
  await source.create(service("left", {}, LEAVING));
  await isThere("ConfigMap", NS, "settings");
  await isThere("Service", NS, "web");
  await isThere("Service", NS, "turning");
  await isThere("Service", LEAVING, "left");
  await source.patch("ConfigMap", NS, "settings", data("2"));
  await source.patch("Service", NS, "web", { spec: { selector: { app: "other" } } });
  await source.remove("Service", NS, "turning");
  await source.create(service("turning", { clusterIP: "None" }));
  await isThere("Service", NS, "turning", (found) => specOf(found).clusterIP === "None");
  await isThere("Service", NS, "web", (found) => JSON.stringify(specOf(found)).includes("other"));
  await source.remove("ConfigMap", NS, "settings");
  await source.remove("Service", NS, "turning");
  const unlabelled = { metadata: { labels: { "rights-test": null } } };
  await source.patch("Namespace", undefined, LEAVING, unlabelled);
  await source.patch("CustomResourceDefinition", undefined, CRD.metadata.name, unlabelled);
  await isGone("ConfigMap", NS, "settings");
  await isGone("Service", NS, "turning");
  await isGone("CustomResourceDefinition", undefined, CRD.metadata.name);
  await isGone("Namespace", undefined, LEAVING);
  await source.remove("CustomResourceDefinition", undefined, CRD.metadata.name);
}

describe("the rights of manifests/mirror-destination", () => {
  it("let the mirror do everything that it tries, and nothing of them is unused", async () => {
    await story();

    expect(access.all().filter(({ status }) => status === 403)).toEqual([]);
    const used = new Set(access.all().map(spelled));
    const unused = granted(installedObjects("manifests/mirror-destination"))
      .map(spelled)
      // Renewal is svc-ferry run's as well, and shown there.
      .filter((right) => !used.has(right) && right !== "create /serviceaccounts/token");
    expect(unused).toEqual([]);
    expect(await link.debts()).toEqual({});
  });

  it("are all that edits a Service of the mirror where mirrors are locked", async () => {
    const edit = destination.patch("Service", NS, "web", { spec: { selector: { app: "mine" } } });

    await expect(edit).rejects.toThrow(/403/);
  });

  it("are not needed any more when the link has left and its mark is off", async () => {
    await link.stop();
    const flags = [`--dest-endpoints=${plane.etcd}`, "--link=rights"];
    const left = startFerry({ args: ["mirror", "leave", "--keep", ...flags] });
    expect((await left.exit).code).toBe(0);
    expect(left.lines.map(({ text }) => text)).toContain(
      "1 carry its mark: docs/mirror.md says how it comes off",
    );

    await plane.kubectl(["delete", "validatingadmissionpolicybinding", "svc-ferry-mirrors"]);
    const marked = ["services", "-A", "-l", "svc-ferry.io/link=mirror.rights"];
    const unmark = async (verb: string, ...keys: readonly string[]): Promise<unknown> =>
      plane.kubectl([verb, ...marked, ...keys]).catch((error: unknown) => String(error));
    const annotations = ["svc-ferry.io/mirror-link-", "svc-ferry.io/source-uid-"];
    await waitFor(
      async () => !String(await unmark("annotate", ...annotations)).includes("denied"),
      { what: "the policy to be off" },
    );
    await unmark("label", "svc-ferry.io/link-");

    const web = await destination.get("Service", NS, "web");
    expect([web?.metadata.labels, web?.metadata.annotations]).toEqual([undefined, undefined]);
  });
});

function spelled({ verb, group, resource }: Pick<Access, "verb" | "group" | "resource">): string {
  return `${verb} ${group}/${resource}`;
}

/** Holds a Lease as a scheduler does, until `signal` aborts. */
async function hold(cluster: Cluster, name: string, holder: string, signal: AbortSignal) {
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
  const metadata = { name, namespace: "kube-system" };
  const spec = (): object => ({
    holderIdentity: holder,
    leaseDurationSeconds: 15,
    renewTime: new Date().toISOString().replace("Z", "000Z"),
  });
  await cluster.apply({ ...lease, metadata, spec: spec() });
  while (!signal.aborted) {
    await sleep(500);
    await cluster.patch("coordination.k8s.io/v1/Lease", "kube-system", name, { spec: spec() });
  }
}

describe("controllers of the destination", () => {
  it(
    "keep their leadership and go on while the source has leaders of the same names",
    async () => {
      const over = new AbortController();
      const leases = ["kube-controller-manager", "kube-scheduler"];
      const holding = [
        ...leases.map(async (name) => hold(source, name, `${name}-of-the-source`, over.signal)),
        hold(destination, "kube-scheduler", "scheduler-here", over.signal),
      ];
      const everything = new MirrorLink({
        link: "everything",
        source: from,
        destination: plane,
        rules: EVERYTHING,
      });
      await everything.start();
      const holders = new Map(leases.map((name): [string, Set<string>] => [name, new Set()]));
      const renewals = new Map(leases.map((name): [string, Set<string>] => [name, new Set()]));
      const endMs = performance.now() + BESIDE_MS;

      while (performance.now() < endMs) {
        for (const name of leases) {
          const lease = await destination.get("coordination.k8s.io/v1/Lease", "kube-system", name);
          const spec = lease?.["spec"] as { holderIdentity: string; renewTime: string } | undefined;
          holders.get(name)?.add(spec?.holderIdentity ?? "nobody");
          renewals.get(name)?.add(spec?.renewTime ?? "never");
        }
        await sleep(100);
      }

      await everything.caughtUp();
      const owned = await everything.owned();
      over.abort();
      await Promise.all(holding);
      await everything.stop();
      expect(owned.filter((path) => path.startsWith("leases/"))).toEqual([]);
      expect([...(holders.get("kube-scheduler") ?? [])]).toEqual(["scheduler-here"]);
      const [leader, ...others] = holders.get("kube-controller-manager") ?? [];
      expect(others).toEqual([]);
      expect(leader).not.toContain("of-the-source");
      for (const name of leases) expect(renewals.get(name)?.size).toBeGreaterThan(2);
      // It makes a Namespace's default account: it leads, and works.
      await destination.createNamespace("made-at-the-end");
    },
    BESIDE_MS + 60_000,
  );
});
