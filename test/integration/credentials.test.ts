/** Credentials change under a steady flow of writes, on a real API server: nobody notices. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type ClusterOptions, openCluster, type OpenCluster } from "../../src/kube/open-cluster.js";
import { keepInSecret } from "../../src/kube/kubeconfig-secret.js";
import type { KeepToken } from "../../src/kube/bound-tokens.js";
import { type KubeObserver, silentKubeObserver } from "../../src/ports/kube-observer.js";
import { SERVICES } from "../../src/ports/kube-resources.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { Cluster } from "../harness/cluster.js";
import { exchangeFile } from "../harness/exchange-file.js";
import { HurriedClock } from "../harness/hurried-clock.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../harness/http-fault-proxy.js";
import type { Stored } from "../harness/manifest.js";
import { ServiceWriters } from "../harness/service-writers.js";
import { waitFor } from "../harness/wait-for.js";
import { RecordingLog } from "../unit/src/kube/fixture/recording-log.js";

const { destination: plane } = inject("controlPlanes");
const cluster = new Cluster(plane);
const random = new SystemRandom();
const namespace = `credentials-${random.id()}`;
const never = new AbortController().signal;
let dir: string;
let clock: HurriedClock;
let log: RecordingLog;
let taken: (number | undefined)[];
let api: OpenCluster;
const path = (): string => join(dir, "config");

beforeAll(async () => cluster.createNamespace(namespace));
afterAll(async () => {
  await cluster.remove("Namespace", undefined, namespace);
  await cluster.close();
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "svc-ferry-credentials-"));
  clock = new HurriedClock();
  log = new RecordingLog();
  taken = [];
});
afterEach(async () => {
  await api.close();
  await rm(dir, { recursive: true });
});

/** A ServiceAccount that may write Services here, and what else is asked. */
async function account(name: string, rules: readonly object[] = []): Promise<string> {
  const metadata = { namespace, name };
  const rbac = "rbac.authorization.k8s.io";
  await cluster.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata });
  const verbs = ["get", "create", "patch"];
  await cluster.apply({
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata,
    rules: [{ apiGroups: [""], resources: ["services"], verbs }, ...rules],
  });
  await cluster.apply({
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata,
    roleRef: { apiGroup: rbac, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  });
  return tokenFor(name);
}

/** Valid for ten minutes, the least that there is. */
async function tokenFor(name: string): Promise<string> {
  const { body } = await cluster.request(
    "POST",
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { spec: { expirationSeconds: 600 } },
  );
  return (body as { readonly status: { readonly token: string } }).status.token;
}

function config(user: object, { server, ca } = { server: plane.server, ca: plane.ca }): string {
  const data = Buffer.from(ca).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server, "certificate-authority-data": data } }],
    users: [{ name: "c", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
  });
}

async function open(keepToken?: KeepToken): Promise<void> {
  const observer: KubeObserver = {
    ...silentKubeObserver,
    credentialTaken: (_cluster, life) => void taken.push(life?.endsAtMs),
  };
  const access = { kind: "kubeconfig", path: path(), context: "c" } as const;
  const options: ClusterOptions = { access, maxConnections: 4 };
  api = await openCluster(options, { clock, random, log, observer, env: {}, keepToken });
}

/** One key of a Secret; undefined: it is not there. */
function plainText(secret: Stored | undefined, key: string): string | undefined {
  const data = secret?.["data"] as Readonly<Record<string, string>> | undefined;
  return data?.[key] === undefined ? undefined : Buffer.from(data[key], "base64").toString();
}

async function untilTaken(count: number): Promise<void> {
  await waitFor(() => taken.length === count, { what: `credential number ${count}` });
}

describe("under a steady flow of writes", () => {
  it("server, CA bundle, user and token of the kubeconfig change without a failed write", async () => {
    const proxy: HttpFaultProxy = await startHttpFaultProxy(plane);
    await exchangeFile(path(), config({ token: await account("one") }));
    await open();
    const writers = new ServiceWriters(api, cluster, namespace);
    await writers.more(50);

    await exchangeFile(path(), config({ token: await account("two") }));
    await untilTaken(2);
    await writers.more(50);
    await cluster.remove("ServiceAccount", namespace, "one");
    const other = { server: proxy.url, ca: proxy.ca };
    await exchangeFile(path(), config({ token: await tokenFor("two") }, other));
    await untilTaken(3);
    await writers.more(50);
    const throughProxy = proxy.count(({ method }) => method === "PATCH");
    await exchangeFile(
      path(),
      config({ token: await tokenFor("two") }, { ...other, ca: plane.ca + proxy.ca }),
    );
    await untilTaken(4);
    await writers.more(50);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(throughProxy).toBeGreaterThan(0);
    expect(log.lines).toEqual(Array.from({ length: 3 }, () => "info: kubeconfig changed"));
    await api.close();
    await proxy.close();
  });

  it.each<[string, () => Promise<string>]>([
    ["is no YAML", async () => "}{"],
    ["holds a token that nobody issued", async () => config({ token: "nobody's" })],
    [
      "trusts the wrong CA",
      async () =>
        config(
          { token: await tokenFor("one") },
          { server: plane.server, ca: inject("controlPlanes").source.ca },
        ),
    ],
    [
      "leads to a closed port",
      async () =>
        config({ token: await tokenFor("one") }, { server: "https://127.0.0.1:1", ca: plane.ca }),
    ],
    [
      "leads to another cluster",
      async () => {
        const { server, ca, token } = inject("controlPlanes").source;
        return config({ token }, { server, ca });
      },
    ],
  ])("a kubeconfig that %s changes nothing, and is told", async (_, broken) => {
    await exchangeFile(path(), config({ token: plane.token }));
    await account("one");
    await open();
    const writers = new ServiceWriters(api, cluster, namespace);
    await writers.more(20);

    await exchangeFile(path(), await broken());
    await waitFor(() => log.lines.length > 0, { what: "a line in the log" });
    await writers.more(50);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(log.lines).toEqual(["error: credentials cannot be used, those from before stay in use"]);
    expect(taken).toHaveLength(1);
  });

  it("a token file is exchanged, and the old token revoked, without a failed write", async () => {
    const file = join(dir, "token");
    await exchangeFile(file, await account("three"));
    await exchangeFile(path(), config({ tokenFile: "token" }));
    await open();
    const writers = new ServiceWriters(api, cluster, namespace);
    await writers.more(50);

    await exchangeFile(file, await account("four"));
    await untilTaken(2);
    await cluster.remove("ServiceAccount", namespace, "three");
    await writers.more(200);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(log.lines).toEqual([]);
  });
});

describe("a bound token in the kubeconfig", () => {
  const own = (name: string) => ({
    apiGroups: [""],
    resources: ["serviceaccounts/token"],
    resourceNames: [name],
    verbs: ["create"],
  });

  it("is renewed by itself and kept in the Secret, without a failed write", async () => {
    const token = await account("five", [own("five")]);
    const before = config({ token });
    await exchangeFile(path(), before);
    const data = { kubeconfig: Buffer.from(before).toString("base64"), other: "aGFuZHM=" };
    const metadata = { namespace, name: "kubeconfig" };
    await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata, data });
    const administrator = await openCluster(
      {
        access: { kind: "kubeconfig", path: plane.kubeconfigPath, context: plane.context },
        maxConnections: 1,
      },
      { clock, random, log, env: {} },
    );
    await open(keepInSecret(administrator, metadata));
    const writers = new ServiceWriters(api, cluster, namespace);
    await writers.more(20);

    clock.aheadMs = 400_000;
    await untilTaken(2);
    await writers.more(50);
    const after = await waitFor(
      async () => {
        const secret = await cluster.get("Secret", namespace, "kubeconfig");
        const stored = plainText(secret, "kubeconfig");
        return stored !== before && stored;
      },
      { what: "the renewed token in the Secret" },
    );
    // The time that was skipped for the old token would make the new one old as well.
    clock.aheadMs = 0;
    await exchangeFile(path(), after);
    await writers.more(50);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(after.length).toBeGreaterThan(before.length / 2);
    expect(after).not.toContain(token);
    expect(log.lines).toEqual(["info: token renewed"]);
    expect((taken[1] ?? 0) - (taken[0] ?? 0)).toBeLessThan(600_000);
    await administrator.close();
  });

  it("stays in use without the right, and its end is told", async () => {
    await exchangeFile(path(), config({ token: await account("six") }));
    await open();
    const writers = new ServiceWriters(api, cluster, namespace);
    await writers.more(20);

    clock.aheadMs = 400_000;
    await waitFor(() => log.lines.length > 0, { what: "a line in the log" });
    await writers.more(50);
    await writers.stop();

    expect(writers.failures).toEqual([]);
    expect(log.records[0]).toMatchObject({
      message: "token could not be renewed, it ends",
      fields: { err: { code: "FERRY-K006" }, expires: new Date(taken[0] ?? 0).toISOString() },
    });
  });
});

describe("a token that never ends", () => {
  it("works, with a warning", async () => {
    await account("seven");
    const annotations = { "kubernetes.io/service-account.name": "seven" };
    const metadata = { namespace, name: "seven", annotations };
    const type = "kubernetes.io/service-account-token";
    await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata, type });
    const token = await waitFor(
      async () => {
        const secret = await cluster.get("Secret", namespace, "seven");
        return plainText(secret, "token");
      },
      { what: "the controller to issue a token" },
    );
    await exchangeFile(path(), config({ token }));
    await open();

    await api.get(SERVICES, { namespace, name: "none" }, never);

    expect(taken).toEqual([undefined]);
    expect(log.lines).toEqual([
      "warn: the token in use never ends: see docs/credentials.md for others",
    ]);
  });
});
