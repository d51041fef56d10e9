import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { runCommand } from "../controlplane/run-command.js";
import { Cluster } from "../harness/cluster.js";
import { startFaultProxy } from "../harness/fault-proxy.js";
import { startHttpFaultProxy } from "../harness/http-fault-proxy.js";
import { processesNaming } from "../harness/processes.js";
import { startSharedControlPlanes } from "../harness/shared-control-planes.js";
import { waitFor } from "../harness/wait-for.js";

const START_MS = 120_000;

describe("a control plane", { timeout: START_MS }, () => {
  let controlPlane: ControlPlane;
  let cluster: Cluster;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ name: "probe", auditPolicy: true });
    cluster = new Cluster(controlPlane);
    await cluster.createNode();
  }, START_MS);
  afterAll(async () => {
    await cluster.close();
    await controlPlane.stop();
  });

  it("takes what a person types", async () => {
    const manifest = "apiVersion: v1\nkind: Namespace\nmetadata: {name: typed}\n";

    await controlPlane.kubectl(["apply", "-f", "-"], manifest);

    const out = await controlPlane.kubectl(["get", "namespace", "typed", "-o", "name"]);
    expect(out).toBe("namespace/typed\n");
    await expect(controlPlane.kubectl(["get", "namespace", "none"])).rejects.toThrow(/NotFound/);
  });

  it("gives a Service endpoint slices that follow its Pods, by the real controller", async () => {
    await cluster.createNamespace("slices");
    await cluster.apply(service("slices", "web"));
    await cluster.createPod("slices", "web-1", { app: "web" }, "10.1.0.1");
    await cluster.createPod("slices", "web-2", { app: "web" }, "10.1.0.2", { ready: false });
    await waitForEndpoints({ "10.1.0.1": true, "10.1.0.2": false });

    await cluster.setPodReady("slices", "web-2", true);
    await waitForEndpoints({ "10.1.0.1": true, "10.1.0.2": true });

    await cluster.remove("Pod", "slices", "web-1");
    await waitForEndpoints({ "10.1.0.2": true });
  });

  it("lets a ServiceAccount do what RBAC says and no more", async () => {
    const token = await controlPlane.kubectl(["create", "token", "default"]);
    const robot = new Cluster({ ...controlPlane.connection(), token: token.trim() });

    const refused = robot.list("Service", "default");

    await expect(refused).rejects.toThrow(/^403: .*system:serviceaccount:default:default/);
    await robot.close();
  });

  it("ends namespaces with Pods in them", async () => {
    await cluster.createNamespace("short-lived");
    await cluster.createPod("short-lived", "pod", {}, "10.1.0.9");

    await cluster.remove("Namespace", undefined, "short-lived");

    await waitFor(
      async () => (await cluster.get("Namespace", undefined, "short-lived")) === undefined,
      { what: "the namespace's end", timeoutMs: 60_000 },
    );
  });

  it("logs every write with what was sent, and of reads those of ServiceAccounts", async () => {
    const token = (await controlPlane.kubectl(["create", "token", "default"])).trim();
    const robot = new Cluster({ ...controlPlane.connection(), token });
    await robot.request("GET", "/api/v1/namespaces/default/configmaps/audited");
    await robot.close();
    await cluster.apply(configMap("audited"));
    await cluster.get("ConfigMap", "default", "audited");
    await cluster.remove("ConfigMap", "default", "audited");

    const entries = await waitFor(
      () => {
        const read = auditEntries(controlPlane);
        return read.some(
          ({ verb, objectRef }) => verb === "delete" && objectRef?.name === "audited",
        )
          ? read
          : undefined;
      },
      { what: "the removal in the audit log" },
    );

    const reader = "system:serviceaccount:default:default";
    expect(entries.filter(({ objectRef }) => objectRef?.name === "audited")).toMatchObject([
      { verb: "get", user: { username: reader } },
      { verb: "patch", requestObject: { kind: "ConfigMap" }, user: { username: "admin" } },
      { verb: "delete", user: { username: "admin" } },
    ]);
    const reads = entries.filter(({ verb }) => ["get", "list", "watch"].includes(verb));
    expect(new Set(reads.map(({ user }) => user.username))).toEqual(new Set([reader]));
  });

  it("is reached through both proxies, with one kubeconfig of several contexts", async () => {
    const port = Number(new URL(controlPlane.server).port);
    const tcp = await startFaultProxy({ host: "127.0.0.1", port });
    const http = await startHttpFaultProxy(controlPlane);
    const path = join(controlPlane.dataDir, "proxies.yaml");

    writeKubeconfig(path, [
      { context: "tcp", controlPlane, server: tcp.url },
      { context: "http", controlPlane, server: http.url, ca: http.ca },
    ]);
    const get = ["--kubeconfig", path, "get", "service", "kubernetes", "-o", "name"];
    const names = await Promise.all([
      runCommand(controlPlane.kubectlPath, [...get, "--context", "tcp"]),
      runCommand(controlPlane.kubectlPath, [...get, "--context", "http"]),
    ]);

    expect(names).toEqual(["service/kubernetes\n", "service/kubernetes\n"]);
    expect(tcp.accepted).toBeGreaterThan(0);
    expect(http.count((request) => request.path.endsWith("/services/kubernetes"))).toBe(1);
    await Promise.all([tcp.close(), http.close()]);
  });

  it("keeps its port and its objects when the API server stops and starts", async () => {
    await cluster.apply(service("default", "survivor"));

    await controlPlane.stopApiServer();
    await expect(cluster.request("GET", "/livez")).rejects.toThrow();
    await controlPlane.startApiServer();

    expect(await cluster.get("Service", "default", "survivor")).toBeDefined();
    await controlPlane.stopApiServer("crash");
    await controlPlane.startApiServer();
    expect(await cluster.get("Service", "default", "survivor")).toBeDefined();
  });

  it("answers nothing while it is paused", async () => {
    controlPlane.pauseApiServer();
    let answered = false;
    const answer = cluster.request("GET", "/livez").then(() => (answered = true));
    await controlPlane.snapshotEtcd(join(controlPlane.dataDir, "meanwhile.db")); // takes its time
    expect(answered).toBe(false);

    controlPlane.resumeApiServer();

    await expect(answer).resolves.toBe(true);
  });

  it("goes back in time, revisions too, when a snapshot is restored", async () => {
    const snapshot = join(controlPlane.dataDir, "snapshot.db");
    const before = await cluster.apply(service("default", "before"));
    await controlPlane.snapshotEtcd(snapshot);
    const later = await Promise.all(
      Array.from({ length: 300 }, async (_, at) => cluster.apply(configMap(`later-${at}`))),
    );

    await controlPlane.restoreEtcd(snapshot);

    const kept = await cluster.get("Service", "default", "before");
    expect(kept?.metadata).toMatchObject({
      uid: before.metadata.uid,
      resourceVersion: before.metadata.resourceVersion,
    });
    expect(await cluster.get("ConfigMap", "default", "later-0")).toBeUndefined();
    const next = await cluster.apply(configMap("next"));
    const revisions = later.map(({ metadata }) => Number(metadata.resourceVersion));
    expect(Number(next.metadata.resourceVersion)).toBeLessThan(Math.max(...revisions));
  });

  async function waitForEndpoints(expected: Readonly<Record<string, boolean>>): Promise<void> {
    const what = `endpoints ${JSON.stringify(expected)}`;
    let seen: Readonly<Record<string, boolean>> = {};
    await waitFor(
      async () => {
        const slices = (await cluster.list(
          "EndpointSlice",
          "slices",
          "kubernetes.io/service-name=web",
        )) as readonly unknown[] as readonly Slice[];
        const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
        seen = Object.fromEntries(
          endpoints.flatMap(({ addresses, conditions }) =>
            addresses.map((address) => [address, conditions.ready === true] as const),
          ),
        );
        return sameRecord(seen, expected);
      },
      { what },
    );
    expect(seen).toEqual(expected);
  }
});

describe("the shared pair", { timeout: START_MS }, () => {
  it("is provided as two clusters in one kubeconfig, and is gone after the run", async () => {
    const { controlPlanes, teardown } = await startSharedControlPlanes();

    const { kubeconfigPath, source, destination } = structuredClone(controlPlanes);
    const uids = [source, destination].map(async ({ context, kubectlPath }) => {
      const args = ["--kubeconfig", kubeconfigPath, "--context", context, "get", "namespace"];
      return runCommand(kubectlPath, [...args, "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    });
    expect(new Set(await Promise.all(uids)).size).toBe(2);
    await teardown();
    expect(processesNaming(dirname(source.kubeconfigPath))).toEqual([]);
    expect(existsSync(kubeconfigPath)).toBe(false);
  });
});

describe("a control plane's processes", { timeout: START_MS }, () => {
  it("serve IPv6 Services when asked, and are gone after stop, with their folder", async () => {
    const controlPlane = await startControlPlane({ name: "six", ipFamily: "ipv6" });
    expect(processesNaming(controlPlane.dataDir).length).toBeGreaterThanOrEqual(6);
    const ip = ["get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIPs}"];
    expect(await controlPlane.kubectl(ip)).toBe('["fd00:96::1"]');

    await controlPlane.stop();

    await waitFor(() => processesNaming(controlPlane.dataDir).length === 0, { what: "no process" });
    expect(existsSync(controlPlane.dataDir)).toBe(false);
  });

  it("are gone after their parent was SIGKILLed, with their folder", async () => {
    const script = join(import.meta.dirname, "../controlplane/main.ts");
    const args = ["--import", "tsx", script, "--keep", "--name", "orphan"];
    const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
    const dataDir = await waitFor(
      () => (printed.includes("until Ctrl-C") ? /logs (\S+)/.exec(printed)?.[1] : undefined),
      { what: "the control plane", timeoutMs: START_MS },
    );
    expect(processesNaming(dataDir).length).toBeGreaterThanOrEqual(6);

    parent.kill("SIGKILL");

    await waitFor(() => processesNaming(dataDir).length === 0, { what: "no process" });
    await waitFor(() => !existsSync(dataDir), { what: "no folder" });
  });

  it("do not stay when one of them cannot start", async () => {
    const starting = startControlPlane({ name: "wrong", extraApiServerArgs: ["--no-such-flag"] });

    await expect(starting).rejects.toThrow(/kube-apiserver ended:[^]*no-such-flag/);
    expect(processesNaming("svc-ferry-controlplane-wrong-")).toEqual([]);
  });
});

interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly name?: string };
}

interface Slice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready?: boolean };
  }[];
}

function auditEntries(controlPlane: ControlPlane): readonly AuditEntry[] {
  const lines = readFileSync(controlPlane.auditLogPath ?? "", "utf8")
    .split("\n")
    .slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditEntry);
}

function configMap(name: string) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", name } };
}

function service(namespace: string, name: string) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: { selector: { app: name }, ports: [{ name: "http", port: 80 }] },
  };
}

function sameRecord(
  a: Readonly<Record<string, boolean>>,
  b: Readonly<Record<string, boolean>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
