import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { parseCertificates } from "../../certs/certificate.js";
import { DEFAULT_ROTATION } from "../../certs/rotation-settings.js";
import { CertsCommands } from "../../src/certs-commands.js";
import { Certificates } from "../../src/certificates.js";
import { runProgram } from "../../src/cli/program.js";
import { loadConfig } from "../../src/config/load.js";
import type { CertificatesReport } from "../../src/ports/certificates-report.js";
import { openSource } from "../../src/open-source.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { RecordedMetrics } from "../fixtures/recorders.js";
import { Cluster } from "../harness/cluster.js";
import { waitFor } from "../harness/wait-for.js";
import { NO_MIRROR } from "../fixtures/no-mirror.js";

const KINDS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const SECRET = "svc-ferry-webhook-tls";

describe("svc-ferry certs on a real API server", () => {
  let namespace = "";
  let folder = "";
  let cluster: Cluster;
  let stop = async (): Promise<void> => {};

  beforeEach(async () => {
    namespace = `certs-command-${new SystemRandom().id()}`;
    folder = mkdtempSync(join(tmpdir(), "svc-ferry-certs-"));
    cluster = new Cluster(inject("controlPlanes").source);
    await cluster.createNamespace(namespace);
  });

  afterEach(async () => {
    await stop();
    stop = async () => {};
    for (const kind of KINDS) await cluster.remove(kind, undefined, namespace);
    await cluster.remove("Namespace", undefined, namespace);
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  const flags = (): readonly string[] => [
    "-src-context=source",
    `--leader-election-namespace=${namespace}`,
    `--webhook-configuration=${namespace}`,
  ];

  /** One command line, as `main` runs it. */
  async function certs(
    words: string,
    kubeconfig: string = inject("controlPlanes").kubeconfigPath,
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const out: string[] = [];
    const err: string[] = [];
    const write = (lines: string[]) => (text: string) => void lines.push(text);
    const readFile = (): string => "";
    const commands = {
      run: async () => 99,
      certs: new CertsCommands({
        open: (source) => openSource(source, write(err)),
        clock: new SystemClock(),
        readFile,
      }),
      mirror: NO_MIRROR,
    };
    const terminal = { env: {}, readFile, stdout: write(out), stderr: write(err) };
    const args = ["certs", ...words.split(" "), "--kubeconfig", kubeconfig, ...flags()];
    const code = await runProgram({ version: "test", terminal, commands }, args);
    return { code, out: out.join(""), err: err.join("") };
  }

  async function report(): Promise<CertificatesReport> {
    return JSON.parse((await certs("status -o json")).out) as CertificatesReport;
  }

  /** As the manifests do it, but for the Services that it is about. */
  async function install(): Promise<void> {
    for (const kind of KINDS) {
      await cluster.create({
        apiVersion: "admissionregistration.k8s.io/v1",
        kind,
        metadata: { name: namespace },
        webhooks: [
          {
            name: "a.svc-ferry.test",
            clientConfig: { service: { namespace, name: "svc-ferry-webhook", path: "/x" } },
            namespaceSelector: { matchLabels: { "certs-test": namespace } },
            sideEffects: "None",
            admissionReviewVersions: ["v1"],
          },
        ],
      });
    }
  }

  /** What a leading `svc-ferry run` does for its certificates. */
  async function lead(): Promise<void> {
    const loaded = loadConfig({
      flags: { leaderElectionNamespace: namespace, webhookConfiguration: namespace },
      env: { HOSTNAME: "pod" },
      readFile: () => "",
    });
    if (loaded.kind === "invalid") throw new Error("the settings are invalid");
    const { kubeconfigPath: path, source } = inject("controlPlanes");
    const access = { kind: "kubeconfig", path, context: source.context } as const;
    const api = await openSource({ name: "source", access }, () => {});
    const parts = {
      api,
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: SILENT_LOG,
      metrics: new RecordedMetrics(),
      observe: () => ({ relisted: () => {}, failed: () => {}, skipped: () => {} }),
    };
    const certificates = new Certificates(loaded.config, parts, DEFAULT_ROTATION);
    const { signal, ...ending } = abortable();
    const term = { signal, number: 1, permit: () => !signal.aborted };
    const running = [certificates.start(signal), certificates.lead(term)];
    stop = async () => {
      ending.abort();
      await Promise.all(running);
      await api.close();
    };
  }

  it("shows, prints and rotates what the leader makes, and never a private key", async () => {
    const before = await certs("status");
    await install();
    await lead();
    await waitFor(async () => (await report()).problems.length === 0, { what: "all to be well" });

    const status = await certs("status");
    const printed = await certs("print");
    const stored = await cluster.get("Secret", namespace, SECRET);
    const [old] = (await report()).cas;
    const rotated = await certs("rotate ca");
    const after = await waitFor(
      async () => {
        const now = await report();
        return now.cas.length === 2 && now.next?.step === "sign" ? now : undefined;
      },
      { what: "the new CA to be trusted by all" },
    );
    const again = await certs("rotate ca");

    expect(before.code).toBe(1);
    expect(before.out).toContain(`PROBLEM: there is no Secret ${namespace}/${SECRET}`);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(printed).toMatchObject({ code: 0, err: "" });
    const { data } = stored as unknown as { data: Readonly<Record<string, string>> };
    expect(printed.out).toBe(Buffer.from(data["ca.crt"] ?? "", "base64").toString());
    expect(parseCertificates(printed.out).map(({ isCa }) => isCa)).toEqual([true]);
    expect(rotated).toMatchObject({ code: 0, out: expect.stringMatching(/^requested: ca\n/) });
    expect(after.cas.map(({ role }) => role)).toEqual(["will sign", "signs"]);
    expect(after.cas[1]?.id).toBe(old?.id);
    expect(after.secret.requested).toBeUndefined();
    expect(after.problems).toEqual([]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("Nothing is requested") });
    const everything = [before, status, printed, rotated, again].map(({ out }) => out).join("");
    const keys = ["ca.key", "tls.key", "hand-off.key", "stamp.key"].map((name) =>
      Buffer.from(data[name] ?? "", "base64").toString(),
    );
    expect(keys.map((key) => key.length > 40)).toEqual([true, true, true, true]);
    expect(keys.filter((key) => everything.includes(key.split("\n").at(1) ?? key))).toEqual([]);
    expect(everything).not.toContain("PRIVATE KEY");
  });

  it("makes new leaves within seconds of being asked", async () => {
    await lead();
    const leaf = async (): Promise<string | undefined> => {
      const secret = await cluster.get("Secret", namespace, SECRET);
      return (secret as { data?: Readonly<Record<string, string>> } | undefined)?.data?.["tls.crt"];
    };
    const first = await waitFor(leaf, { what: "a leaf" });

    const { code } = await certs("rotate");
    await waitFor(async () => (await leaf()) !== first, { what: "another leaf" });

    expect(code).toBe(0);
    expect((await report()).secret).toEqual({ name: `${namespace}/${SECRET}`, exists: true });
  });

  it("exits with 2 and the way out without a Secret, a context or the rights", async () => {
    const connection = inject("controlPlanes").source;
    await cluster.create({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { namespace, name: "nobody" },
    });
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/nobody/token`;
    const { body } = await cluster.request("POST", path, {});
    const { token } = (body as { readonly status: { readonly token: string } }).status;
    const kubeconfig = join(folder, "kubeconfig.yaml");
    writeKubeconfig(kubeconfig, [{ context: "source", controlPlane: connection, token }]);
    const elsewhere = join(folder, "elsewhere.yaml");
    writeKubeconfig(elsewhere, [{ context: "other", controlPlane: connection }]);

    const noSecret = [await certs("print"), await certs("rotate stamp")];
    const noRights = [await certs("status", kubeconfig), await certs("rotate ca", kubeconfig)];
    const noContext = await certs("status", elsewhere);

    const failures = [...noSecret, ...noRights, noContext];
    expect(failures.map(({ code, out }) => ({ code, out }))).toEqual(
      failures.map(() => ({ code: 2, out: "" })),
    );
    expect(noSecret[1]?.err).toContain(`error: there is no Secret ${namespace}/${SECRET}\n  fix: `);
    expect(noRights[0]?.err).toMatch(/403.*cannot get resource "secrets".*FERRY-K006/);
    expect(noRights[1]?.err).toContain("fix: whoever asks needs get on the Secret");
    expect(noContext.err).toMatch(/no context "source"; it has other \(FERRY-K005\)/);
  });
});

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
