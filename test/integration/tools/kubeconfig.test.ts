import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import type { DoctorReport } from "../../../src/ports/doctor-report.js";
import { Cluster } from "../../harness/cluster.js";
import type { Manifest } from "../../harness/manifest.js";
import { runTool, type ToolResult } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

const namespace = `kubeconfig-${randomBytes(4).toString("hex")}`;
let cluster: Cluster;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-kubeconfig-"));
  cluster = new Cluster(inject("controlPlanes").destination);
  await cluster.createNamespace(namespace);
  const metadata = { namespace, name: "svc-ferry" };
  await cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata });
});
afterAll(async () => {
  await cluster.remove("Namespace", undefined, namespace);
  await cluster.close();
  rmSync(folder, { recursive: true });
});

function kubeconfig(...words: readonly string[]): Promise<ToolResult> {
  const { kubeconfigPath } = inject("controlPlanes");
  const own = ["--kubeconfig", kubeconfigPath, "--context", "destination", "-n", namespace];
  return runTool(["kubeconfig", ...own, ...words]);
}

/** Who the destination takes the made kubeconfig for, and until when. */
async function whoIs(text: string): Promise<string> {
  const path = join(folder, "made.yaml");
  writeFileSync(path, text);
  const { out } = await runTool([
    "doctor",
    "--only=dst-reach,dst-cred",
    `--kubeconfig=${path}`,
    "--dst-context=destination",
    "--output=json",
  ]);
  const { checks } = JSON.parse(out) as DoctorReport;
  return checks.map(({ id, result, message }) => `${id} ${result} ${message}`).join("\n");
}

describe("svc-ferry kubeconfig on a real API server", () => {
  it("makes one that works, as the ServiceAccount, until the server says", async () => {
    const { code, out, err } = await kubeconfig("--duration", "1h");

    expect(code).toBe(0);
    expect(err).toMatch(/^note: the token ends at \d{4}-/);
    expect(err).not.toContain("gives less");
    const who = await whoIs(out);
    expect(who).toContain("dst-reach ok destination answers");
    expect(who).toContain(
      `dst-cred ok system:serviceaccount:${namespace}:svc-ferry, by a token until`,
    );
  });

  it("makes a Secret that the source takes, and that holds the same", async () => {
    const { out } = await kubeconfig("-o", "secret", "--secret-namespace", namespace);
    const source = new Cluster(inject("controlPlanes").source);
    await source.createNamespace(namespace);

    const stored = (await source.create(parse(out) as Manifest)) as {
      readonly data?: Readonly<Record<string, string>>;
    };
    await source.remove("Namespace", undefined, namespace);
    await source.close();

    const text = Buffer.from(stored.data?.["kubeconfig"] ?? "", "base64").toString();
    expect(await whoIs(text)).toContain(`system:serviceaccount:${namespace}:svc-ferry`);
  });

  it("takes the token of a Secret, which doctor then warns of", async () => {
    await cluster.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        namespace,
        name: "lasting",
        annotations: { "kubernetes.io/service-account.name": "svc-ferry" },
      },
      type: "kubernetes.io/service-account-token",
    } as Manifest);

    const made = await waitFor(
      async () => {
        const result = await kubeconfig("--secret", "lasting");
        return result.code === 0 && result;
      },
      { what: "the token to be in the Secret" },
    );

    expect(made.err).toContain("this token never ends");
    expect(await whoIs(made.out)).toContain("dst-cred warn");
  });

  it("cannot for an account that is not there", async () => {
    const { code, out, err } = await kubeconfig("--service-account", "nobody");

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain('serviceaccounts "nobody" not found');
    expect(err).toContain("fix: install it first");
  });
});
