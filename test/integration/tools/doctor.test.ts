import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { CheckReport, DoctorReport } from "../../../src/ports/doctor-report.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { selfSigned } from "../../controlplane/self-signed.js";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import type { Cluster } from "../../harness/cluster.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import type { Manifest } from "../../harness/manifest.js";
import { service, slice } from "../../harness/manifests.js";
import { runTool, toolFlags, type ToolResult } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: AdmissionBed;
let ferry: FerryRun;
let folder = "";
/** Of the Lease and the Secret: admission does not ask about it. */
let own = "";
/** What removes them. */
const nodes: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-doctor-"));
  bed = await openAdmissionBed();
  own = bed.name("own");
  await bed.namespace("source", own);
  ferry = await bed.run({ flags: { leaderElectionNamespace: own } });
  await bed.route(ferry);
  nodes.push(await nodeWith(bed.source, "10.1.0.0/16"));
  nodes.push(await nodeWith(bed.destination, "10.2.0.0/16"));
});
afterAll(async () => {
  for (const remove of nodes) await remove();
  await bed.close();
  rmSync(folder, { recursive: true });
});

async function doctor(...words: readonly string[]): Promise<ToolResult> {
  return runTool(["doctor", ...flags(), ...words]);
}

function flags(): readonly string[] {
  return toolFlags({
    ...bed.toolSettings,
    "leader-election-namespace": own,
    webhook: "on",
    "webhook-configuration": bed.configuration,
    "source-account": "self",
    "destination-account": "self",
  });
}

async function checked(...words: readonly string[]): Promise<readonly CheckReport[]> {
  const { out } = await doctor(...words, "-o", "json");
  return (JSON.parse(out) as DoctorReport).checks;
}

async function one(id: string, ...words: readonly string[]): Promise<CheckReport> {
  const found = (await checked(...words)).find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

/** The hand-off, asked by another pod of the source or from outside. */
async function handOff(env: Readonly<Record<string, string>>): Promise<CheckReport | undefined> {
  const words = ["--only", "handoff", "-o", "json"];
  const { out } = await runTool(["doctor", ...flags(), ...words], "", env);
  return (JSON.parse(out) as DoctorReport).checks[0];
}
const IN_POD = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };

/** Ranges of nodes, which tell of all pods: those of other tests have addresses that mean nothing. */
async function nodeWith(cluster: Cluster, podCIDR: string): Promise<() => Promise<void>> {
  const name = bed.name("node");
  const metadata = { name };
  await cluster.create({
    apiVersion: "v1",
    kind: "Node",
    metadata,
    spec: { podCIDR, podCIDRs: [podCIDR] },
  });
  return async () => cluster.remove("Node", undefined, name);
}

describe("svc-ferry doctor on a running installation", () => {
  it("finds everything right, also the way from the API server to the webhook", async () => {
    await bed.src.apply(slice(bed.src.namespace, "web", ["10.1.0.1"]));
    await bed.src.apply(service(bed.src.namespace, "web"));
    await bed.dst.untilEndpoints("web", ["10.1.0.1"]);
    await bed.settle(ferry);

    const { code, out, err } = await doctor();

    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).not.toContain("FAIL");
    expect(out).toMatch(/^sync \.+ ok {4}\d+ of \d+ synced$/m);
    expect((await one("pod-ranges")).message).toMatch(/none in common$/);
    expect(await handOff({})).toMatchObject({
      result: "ok",
      message: expect.stringMatching(new RegExp(`^${ferry.podName} takes it at .*:\\d+, in `)),
    });
    const path = await one("wh-path");
    expect(path).toMatchObject({ result: "ok" });
    expect(path.message).toMatch(new RegExp(`^answered by ${ferry.podName} \\S+ in \\d+ ms$`));
    expect(await bed.source.get("Service", bed.src.namespace, "svc-ferry-probe")).toBeUndefined();
  });

  it("finds that the webhook is not reached, although nothing was refused", async () => {
    bed.cutOff();

    const { code, out } = await doctor("--only", "webhook");
    await bed.route(ferry);

    expect(code).toBe(1);
    expect(out).toMatch(/FAIL wh-path .*does not reach the webhook/);
    expect(out).toContain("fix: let the control plane reach port 9443");
  });

  it("finds a caBundle that does not fit, and an entry that is missing", async () => {
    await bed.stopRuns();
    const kind = "ValidatingWebhookConfiguration";
    const { webhooks } = (await bed.source.get(kind, undefined, bed.configuration)) as unknown as {
      webhooks: readonly { clientConfig: object }[];
    };
    const caBundle = Buffer.from(selfSigned("other").cert).toString("base64");
    const foreign = webhooks.map((entry) => ({
      ...entry,
      clientConfig: { ...entry.clientConfig, caBundle },
    }));

    await bed.source.patch(kind, undefined, bed.configuration, { webhooks: foreign });
    const ca = await one("wh-ca");
    await bed.source.patch(kind, undefined, bed.configuration, { webhooks: foreign.slice(0, 1) });
    const shape = await checked("--only", "webhook");

    expect(ca).toMatchObject({ result: "fail", remedy: { command: "svc-ferry certs status" } });
    const config = shape.find(({ id }) => id === "wh-config");
    expect(config).toMatchObject({ result: "fail" });
    expect(config?.message).toContain("no observe entry asks about DELETE of sync=true");
    expect(shape.filter(({ waitsFor }) => waitsFor === "wh-config").map(({ id }) => id)).toEqual([
      "wh-ca",
      "wh-path",
    ]);
  });

  it("finds that nobody leads, and a namespace of the Lease that is missing", async () => {
    await bed.stopRuns();

    const nobody = await one("lease");
    const missing = await one("lease", "--leader-election-namespace", "absent-ns");

    expect(nobody).toMatchObject({ result: "fail", message: "nobody holds the Lease" });
    expect(missing).toMatchObject({
      result: "fail",
      remedy: { command: "kubectl --context source create namespace absent-ns" },
    });
  });
});

describe("svc-ferry doctor of the hand-off", () => {
  it("finds that a replica does not reach the leader, and does not judge from outside", async () => {
    await bed.stopRuns();
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    await bed.source.patch("Lease", own, "ferry", {
      metadata: { annotations: { "svc-ferry.io/hand-off": "127.0.0.1:1" } },
      spec: { holderIdentity: "ferry-7", renewTime, leaseDurationSeconds: 15 },
    });

    const inside = await handOff(IN_POD);
    const outside = await handOff({});
    await bed.source.patch("Lease", own, "ferry", {
      metadata: { annotations: { "svc-ferry.io/hand-off": null } },
    });
    const without = await handOff({});

    expect(inside).toMatchObject({ result: "fail", code: "FERRY-H001" });
    expect(inside?.message).toContain("ferry-7 at 127.0.0.1:1 cannot be reached");
    expect(outside).toMatchObject({ result: "skip", code: "FERRY-H001" });
    expect(without?.message).toBe("ferry-7 publishes no address for the hand-off on its Lease");
  });
});

describe("svc-ferry doctor of pods' addresses", () => {
  it("finds ranges that lie over each other", async () => {
    const remove = await nodeWith(bed.destination, "10.1.128.0/24");

    const ranges = await one("pod-ranges");
    await remove();

    expect(ranges).toMatchObject({ result: "fail" });
    expect(ranges.message).toContain("10.1.0.0/16 and 10.1.128.0/24");
  });
});

describe("svc-ferry doctor of the policy over mirrors", () => {
  it("finds one that is missing, one that nothing binds, and one that stops svc-ferry itself", async () => {
    const [policy, binding] = parseAllDocuments(
      readFileSync("manifests/destination/policy.yaml", "utf8"),
    ).map((document) => document.toJS() as Manifest & { spec: { matchConstraints: object } });
    if (policy === undefined || binding === undefined) throw new Error("no policy, or no binding");
    const { namespace } = await bed.namespace("destination");
    const onlyHere = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
    const name = bed.name("policy");
    const person = ["--dst-ns", namespace, "--destination-account", "svc-ferry/svc-ferry"];

    const missing = await one("dst-policy", ...person);
    await bed.destination.create({
      ...policy,
      metadata: { name },
      spec: {
        ...policy.spec,
        matchConstraints: { ...policy.spec.matchConstraints, namespaceSelector: onlyHere },
      },
    });
    const unbound = await one("dst-policy", ...person);
    await bed.destination.create({
      ...binding,
      metadata: { name },
      spec: { ...binding.spec, policyName: name },
    });
    const effective = await waitFor(
      async () => {
        const found = await one("dst-policy", ...person);
        return found.result === "ok" && found;
      },
      { what: "the policy to be in force" },
    );
    const ourselves = await one("dst-policy", "--dst-ns", namespace);
    for (const kind of ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"]) {
      await bed.destination.remove(`admissionregistration.k8s.io/v1/${kind}`, undefined, name);
    }

    expect(missing).toMatchObject({ result: "warn", message: expect.stringMatching(/^no Valid/) });
    expect(unbound).toMatchObject({
      result: "warn",
      message: `policy ${name} is there, and nothing binds it: it stops nobody`,
    });
    expect(effective.message).toBe(`${name} is bound, and stops whoever asks here`);
    expect(ourselves).toMatchObject({ result: "fail" });
    expect(ourselves.message).toContain("the policy stops svc-ferry itself: ");
  });
});

describe("svc-ferry doctor of rights", () => {
  it("names what is granted beyond what is needed", async () => {
    const { namespace } = bed.src;
    const rbac = "rbac.authorization.k8s.io";
    const metadata = { namespace, name: "greedy" };
    const needed = { apiGroups: [""], resources: ["services"], verbs: ["get", "list", "watch"] };
    const beyond = { apiGroups: [""], resources: ["secrets"], verbs: ["delete"] };
    await bed.source.create({ apiVersion: "v1", kind: "ServiceAccount", metadata });
    await bed.source.create({
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata,
      rules: [needed, beyond],
    });
    await bed.source.create({
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: "greedy" },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    });
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/greedy/token`;
    const { body } = await bed.source.request("POST", path, {});
    const { token } = (body as { readonly status: { readonly token: string } }).status;
    const kubeconfig = join(folder, "greedy.yaml");
    const { source, destination } = inject("controlPlanes");
    writeKubeconfig(kubeconfig, [
      { context: "source", controlPlane: source, token },
      { context: "destination", controlPlane: destination },
    ]);

    const found = await waitFor(
      async () => {
        const excess = await one("src-rbac-excess", "--kubeconfig", kubeconfig);
        return excess.result === "warn" && excess;
      },
      { what: "the role to count" },
    );

    expect(found.message).toBe(`more is granted than is needed: delete secrets in ${namespace}`);
  });

  it("asks verb by verb, and names for each that is missing the command that grants it", async () => {
    const { namespace } = bed.src;
    const account = { apiVersion: "v1", kind: "ServiceAccount" };
    await bed.source.create({ ...account, metadata: { namespace, name: "poor" } });
    const asked = ["--only", "src-rbac", "--source-account", `${namespace}/poor`] as const;
    const before = await checked(...asked);
    const commands = before.flatMap(({ remedy }) => remedy?.command ?? []);
    const { kubectlPath } = inject("controlPlanes").source;
    // HOME: else kubectl keeps what it learnt of the cluster in the folder that it is started in.
    const env = { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: bed.kubeconfigPath };

    const leases = commands.filter((command) => command.includes("create-leases"));
    for (const command of leases) {
      const pasted = command.replaceAll(/\bkubectl\b/g, kubectlPath);
      await promisify(execFile)("sh", ["-c", pasted], { env });
    }
    const after = await waitFor(
      async () => {
        const all = await checked(...asked);
        return all.find(({ id, result }) => id === "src-rbac:create:leases" && result === "ok");
      },
      { what: "the right to count" },
    );

    expect(before.filter(({ result }) => result === "ok")).toEqual([]);
    expect(before.find(({ id }) => id === "src-rbac:create:leases")).toMatchObject({
      result: "fail",
      code: "FERRY-K006",
    });
    expect(before.find(({ id }) => id === "src-rbac:patch:events")).toMatchObject({
      result: "warn",
    });
    expect(leases).toHaveLength(1);
    expect(after.message).toBe(`may create leases.coordination.k8s.io in namespace ${own}`);
  });

  it("skips what may not be asked, and says so of what may not be read", async () => {
    const path = `/api/v1/namespaces/${bed.src.namespace}/serviceaccounts/default/token`;
    const { body } = await bed.source.request("POST", path, {});
    const { token } = (body as { readonly status: { readonly token: string } }).status;
    const kubeconfig = join(folder, "poor.yaml");
    const { source, destination } = inject("controlPlanes");
    writeKubeconfig(kubeconfig, [
      { context: "source", controlPlane: source, token },
      { context: "destination", controlPlane: destination },
    ]);

    const asked = ["--kubeconfig", kubeconfig, "--source-account", "k8s-sync/svc-ferry"];
    const checks = await checked(...asked);

    const rights = checks.filter(({ id }) => id.startsWith("src-rbac:"));
    expect(new Set(rights.map(({ result }) => result))).toEqual(new Set(["skip"]));
    expect(rights[0]?.remedy?.command).toContain("exec deploy/svc-ferry -- svc-ferry doctor");
    expect(checks.find(({ id }) => id === "lease")).toMatchObject({ result: "skip" });
    expect(checks.find(({ id }) => id === "src-cred")?.message).toContain(
      `system:serviceaccount:${bed.src.namespace}:default, by a token until `,
    );
  });
});

describe("svc-ferry doctor before anything is installed", () => {
  it.each<[string, object, RegExp]>([
    ["a port where nobody listens", { server: "https://127.0.0.1:1" }, /^TCP: refused/],
    ["a host that does not exist", { server: "https://nowhere.invalid" }, /^DNS: /],
    ["an unknown CA", { ca: selfSigned("other").cert }, /^TLS: unknown CA/],
    ["a token that nobody knows", { token: "nobody" }, /^source does not know who asks/],
  ])("tells %s apart", async (name, broken, message) => {
    const { source, destination } = inject("controlPlanes");
    const kubeconfig = join(folder, `${name.replaceAll(" ", "-")}.yaml`);
    writeKubeconfig(kubeconfig, [
      { context: "source", controlPlane: source, ...broken },
      { context: "destination", controlPlane: destination },
    ]);

    const checks = await checked("--pre", "--kubeconfig", kubeconfig);

    const failed = checks.filter(({ result }) => result === "fail");
    expect(failed.map(({ id }) => id)).toEqual(["src-reach"]);
    expect(failed[0]?.message).toMatch(message);
    const waiting = checks.filter(({ waitsFor }) => waitsFor === "src-reach");
    expect(waiting.length).toBeGreaterThan(10);
  });

  it("finds a context that the kubeconfig has not, one cluster in both roles, and no namespace", async () => {
    const context = await one("dst-reach", "--dst-context", "elsewhere");
    const twice = join(folder, "twice.yaml");
    const { source } = inject("controlPlanes");
    writeKubeconfig(
      twice,
      ["source", "destination"].map((name) => ({ context: name, controlPlane: source })),
    );
    const apart = await one("src-same-dst", "--kubeconfig", twice);
    const onto = ["--dst-ns", bed.src.namespace];
    const same = await one("src-same-dst", "--kubeconfig", twice, ...onto);
    const missing = await one("dst-ns", "--dst-ns", "absent", "--create-namespace", "off");

    expect(context).toMatchObject({ result: "fail", code: "FERRY-K005" });
    expect(context.message).toContain('no context "elsewhere"; it has source, destination');
    expect(apart).toMatchObject({ result: "warn" });
    expect(same).toMatchObject({ result: "fail" });
    expect(same.message).toContain("route default gives Services their own names");
    expect(missing).toMatchObject({
      result: "fail",
      code: "namespace-missing",
      remedy: { command: "kubectl --context destination create namespace absent" },
    });
  });

  it("finds a namespace that is being deleted", async () => {
    const metadata = { namespace: bed.name("leaving"), name: "holds", finalizers: ["test/hold"] };
    const { namespace } = metadata;
    await bed.destination.createNamespace(namespace);
    await bed.destination.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
    await bed.destination.remove("Namespace", undefined, namespace);

    const leaving = await one("dst-ns", "--dst-ns", namespace);
    await bed.destination.patch("ConfigMap", namespace, "holds", {
      metadata: { finalizers: null },
    });

    expect(leaving).toMatchObject({ result: "fail", code: "namespace-terminating" });
  });

  it("reports settings that are wrong as failed, and refuses names of checks that there are not", async () => {
    const wrong = await doctor("--src-ns", "No.Name");
    const slip = await doctor("--only", "sink");

    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/FAIL config .*--src-ns/);
    expect(slip).toMatchObject({ code: 2, out: "" });
    expect(slip.err).toContain("no check and no section is called sink");
  });

  it("looks again while --wait lasts", async () => {
    const namespace = bed.name("late");
    const waiting = doctor(
      "--only",
      "dst-ns",
      "--dst-ns",
      namespace,
      "--create-namespace",
      "off",
      "--wait",
      "20s",
    );
    await bed.destination.createNamespace(namespace);

    expect((await waiting).code).toBe(0);
    await bed.destination.remove("Namespace", undefined, namespace);
  });
});
