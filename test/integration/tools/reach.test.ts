/** What `explain` asks beyond API servers: the leader, through one of them and its kubelet, and the endpoints themselves. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { freePort, listenOnFreePort } from "../../controlplane/free-port.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { type FakeKubelet, startFakeKubelet } from "../../harness/fake-kubelet.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import { startFerry } from "../../harness/ferry-process.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { minorRelease } from "../../harness/minor-release.js";
import { runTool, toolFlags, type ToolResult } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: FerryBed;
let ferry: FerryRun;
let kubelet: FakeKubelet;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-reach-"));
  bed = await openBed();
  ferry = await bed.run();
  const node = bed.name("node");
  kubelet = await startFakeKubelet(bed.source, node);
  const { namespace } = bed.src;
  await bed.source.createPod(namespace, ferry.podName, {}, "10.1.9.9", { node });
});
afterAll(async () => {
  await kubelet.close();
  await bed.close();
  rmSync(folder, { recursive: true });
});

function words(kubeconfig: string, ...more: readonly string[]): readonly string[] {
  return ["explain", ...toolFlags({ ...bed.toolSettings, kubeconfig }), ...more];
}

const RBAC = "rbac.authorization.k8s.io";

/** What docs/tools.md says that whoever asks needs, in the cluster. */
async function allowToKnowTheCluster(): Promise<void> {
  const { namespace } = bed.src;
  const metadata = { name: namespace };
  const group = `system:serviceaccounts:${namespace}`;
  const namespaces = { resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"] };
  await bed.source.apply({
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRole",
    metadata,
    rules: [{ apiGroups: [""], ...namespaces }],
  });
  await bed.source.apply({
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", ...metadata },
    subjects: [{ apiGroup: RBAC, kind: "Group", name: group }],
  });
}

/** Somebody who may read the source as docs/tools.md says, and do this with the pods there. @returns a kubeconfig */
async function person(name: string, verbs: readonly string[]): Promise<string> {
  const { namespace } = bed.src;
  const metadata = { namespace, name };
  const read = { verbs: ["get", "list"] };
  await bed.source.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata });
  await bed.source.apply({
    apiVersion: `${RBAC}/v1`,
    kind: "Role",
    metadata,
    rules: [
      { apiGroups: [""], resources: ["services"], ...read },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], ...read },
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"] },
      { apiGroups: [""], resources: ["pods/portforward"], verbs },
    ],
  });
  await bed.source.apply({
    apiVersion: `${RBAC}/v1`,
    kind: "RoleBinding",
    metadata,
    roleRef: { apiGroup: RBAC, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", ...metadata }],
  });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { body } = await bed.source.request("POST", path, {});
  const { token } = (body as { readonly status: { readonly token: string } }).status;
  const { source, destination } = inject("controlPlanes");
  const kubeconfig = join(folder, `${name}.yaml`);
  writeKubeconfig(kubeconfig, [
    { context: "source", controlPlane: source, token },
    { context: "destination", controlPlane: destination },
  ]);
  return kubeconfig;
}

describe("svc-ferry explain asks the leader through its API server", () => {
  const key = (): string => `${bed.src.namespace}/asked`;

  beforeAll(async () => {
    await allowToKnowTheCluster();
    await bed.dst.apply(service(bed.dst.namespace, "asked"));
    await bed.src.apply(service(bed.src.namespace, "asked"));
    await ferry.untilState(key(), "conflict");
    const { text } = await ferry.get("/status");
    kubelet.answer = `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  });

  afterAll(async () => {
    await bed.source.remove("ClusterRoleBinding", undefined, bed.src.namespace);
    await bed.source.remove("ClusterRole", undefined, bed.src.namespace);
  });

  it("with the rights that docs/tools.md names", async () => {
    const kubeconfig = await person("ann", ["get", "create"]);

    const { out } = await waitFor(
      async () => {
        const told = await runTool(words(kubeconfig, key()));
        return told.out.includes("leader  ") && !told.out.includes("not asked") && told;
      },
      { what: "the roles to count" },
    );

    expect(out).toContain(`leader  ${ferry.podName}: conflict, name-occupied`);
    expect(kubelet.asked.at(-1)).toBe(
      `/portForward/${bed.src.namespace}/${ferry.podName}?port=8080`,
    );
  });

  it.for([
    ["bob", "create", 'cannot get resource "pods/portforward"'],
    ["carl", "get", "it takes get and create on pods/portforward"],
  ] as const)("and says what %s lacks who may only %s", async ([name, verb, missing], { skip }) => {
    const isOlder = verb === "get" && (await minorRelease(bed.source)) < 35;
    skip(isOlder, "API servers before 1.35 want no more than get");
    const kubeconfig = await person(name, [verb]);
    const before = kubelet.asked.length;

    const { out } = await waitFor(
      async () => {
        const told = await runTool(words(kubeconfig, key()));
        return told.out.includes("leader  ") && told;
      },
      { what: "the roles to count" },
    );

    expect(out).toMatch(
      /^leader {2}not asked: .* 403: .*; by hand: kubectl .* port-forward pod\//m,
    );
    expect(out).toContain(missing);
    expect(kubelet.asked).toHaveLength(before);
  });
});

describe("svc-ferry explain --probe", () => {
  /** Leads the pods' addresses to ports of loopback: no packet goes to a pod's address here. */
  function network(ports: Readonly<Record<string, number>>): string {
    const script = `import net from "node:net";
      import { syncBuiltinESMExports } from "node:module";
      const { createConnection } = net;
      const ports = ${JSON.stringify(ports)};
      net.createConnection = (to, ...more) => {
        const port = ports[to.host];
        return createConnection(port === undefined ? to : { ...to, host: "127.0.0.1", port }, ...more);
      };
      syncBuiltinESMExports();`;
    return `data:text/javascript,${encodeURIComponent(script)}`;
  }

  async function probe(name: string, ports: Readonly<Record<string, number>>): Promise<ToolResult> {
    const args = words(bed.kubeconfigPath, `${bed.src.namespace}/${name}`, "--probe");
    const started = startFerry({ args, nodeArgs: ["--import", network(ports)] });
    const { code = -1, out, err } = await started.ended();
    return { code, out, err };
  }

  it("tells which of the mirror's endpoints answer a connection, and that none does", async () => {
    const pod = createServer();
    const answers = await listenOnFreePort(pod);
    const nobody = await freePort();
    await bed.src.apply(slice(bed.src.namespace, "probed", ["10.1.0.1", "10.1.0.2"]));
    await bed.src.apply(service(bed.src.namespace, "probed"));
    await bed.dst.untilEndpoints("probed", ["10.1.0.1", "10.1.0.2"]);
    await bed.settle(ferry);

    const one = await probe("probed", { "10.1.0.1": answers, "10.1.0.2": nobody });
    const none = await probe("probed", { "10.1.0.1": nobody, "10.1.0.2": nobody });
    pod.close();

    expect(one).toMatchObject({ code: 0, err: "" });
    expect(one.out).toMatch(/6 reachable .*1 of 2 answer a connection .*; 10\.1\.0\.2:\d+ refused/);
    expect(none).toMatchObject({ code: 1, err: "" });
    expect(none.out).toContain("SYNCED, but out of reach of this host");
  });
});
