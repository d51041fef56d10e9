import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DoctorReport } from "../../../src/ports/doctor-report.js";
import { installedObjects } from "../../fixtures/installed-objects.js";
import { filesOf, textOf } from "../../fixtures/source-text.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { type InstalledBed, installBed } from "../../harness/installed-bed.js";
import type { Manifest } from "../../harness/manifest.js";
import {
  objectsOf,
  render,
  renderMapped,
  renderWith,
  textOfObjects,
} from "../../harness/overlay.js";
import { runTool } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: InstalledBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await installBed({ policy: true });
  ferry = await bed.run();
});
afterAll(async () => bed.close());

interface WithPods {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
}

/** Kinds of others, which these API servers do not have. */
const OPERATORS = new Set(["Certificate", "Issuer", "PodMonitor", "PrometheusRule"]);

describe("a mapped namespace", () => {
  it.each([
    ["source", "svc-ferry-source"],
    ["destination", "svc-ferry-mirrors"],
  ] as const)("of the %s gets its rights from an overlay of two lines", async (side, name) => {
    const overlay = await renderMapped(bed.source, side, "shop");

    const shipped = await render(bed.source, `manifests/${side}`);
    const inShop = shipped
      .filter(({ kind, metadata }) => kind.startsWith("Role") && metadata.name === name)
      .map((object) => ({ ...object, metadata: { ...object.metadata, namespace: "shop" } }));
    expect(inShop).toHaveLength(2);
    expect(overlay).toEqual(inShop);
  });
});

describe("manifests/source", () => {
  it("is what its files say, under a label and with a hash behind the configuration's name", async () => {
    const rendered = await render(bed.source, "manifests/source");

    const plain = rendered.filter(({ kind }) => kind !== "ConfigMap").map(withoutAdditions);
    const written = installedObjects("manifests/source").map(withoutAdditions);
    expect(plain.map(spelled).toSorted()).toEqual(written.map(spelled).toSorted());
  });

  it("comes in an order in which nothing is blocked: rights before pods, webhooks last", async () => {
    const kinds = (await render(bed.source, "manifests/source")).map(({ kind }) => kind);

    const inOrder = ["Namespace", "ServiceAccount", "ClusterRoleBinding", "Secret", "Deployment"];
    expect(inOrder.map((kind) => kinds.indexOf(kind))).toEqual(
      inOrder.map((kind) => kinds.indexOf(kind)).toSorted((a, b) => a - b),
    );
    expect(kinds.slice(-2)).toEqual([
      "MutatingWebhookConfiguration",
      "ValidatingWebhookConfiguration",
    ]);
  });

  it("makes pods that its own namespace admits, which is restricted", async () => {
    const pods = await waitFor(
      async () => {
        const found = await bed.from.list("Pod", "k8s-sync");
        return found.length === 3 && found;
      },
      { what: "the Deployment's pods" },
    );

    const namespace = await bed.from.get("Namespace", undefined, "k8s-sync");
    expect(pods).toHaveLength(3);
    expect(namespace?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  it.each(["mirror-sidecar", "mirror-deployment", "cert-manager", "monitoring", "fail-closed"])(
    "with the component %s is accepted by a real API server, pods included",
    async (component) => {
      const objects = (await renderWith(bed.source, component))
        .filter(({ kind }) => !OPERATORS.has(kind))
        .map(besideInstalled);

      const said = await bed.source.kubectl(
        ["apply", "--dry-run=server", "-f", "-"],
        textOfObjects(objects),
      );

      expect(said.trimEnd().split("\n")).toHaveLength(objects.length);
      for (const { metadata, spec } of objects.filter(isDeployment).map(templateOf)) {
        const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
        const named = { ...pod, metadata: { ...metadata, name: "pod", namespace: "k8s-sync" } };
        const path = "/api/v1/namespaces/k8s-sync/pods?dryRun=All";
        const answer = await bed.from.request("POST", path, named);
        expect(answer).toMatchObject({ status: 201, warnings: [] });
      }
    },
  );
});

describe("svc-ferry doctor", () => {
  it("finds nothing wrong with what was installed, but for the kubelets that there are none of", async () => {
    const flags = [
      "--config=ferry.yaml",
      `--kubeconfig=${bed.administrator()}`,
      "--in-cluster=off",
    ];
    // The replica is no pod, and the administrator of the tests has a token of his own.
    const skipped = "--skip=pods,lease,src-cred,dst-cred";
    const args = ["doctor", ...flags, skipped, "--output=json"];

    const { out } = await runTool(args, textOf("manifests/source/ferry.yaml"));

    const { checks } = JSON.parse(out) as DoctorReport;
    const told = checks
      .filter(({ result }) => result === "fail" || result === "warn")
      .map(({ id, message }) => `${id}: ${message}`);
    expect(told).toEqual([]);
    expect(checks.filter(({ id }) => id.includes("rbac:")).length).toBeGreaterThan(30);
  });
});

/** First line of a sample: what becomes of it. */
const EXPECTATION = /^# expected: (synced|paused|refused)(?: as)?(?: (\S+))?\n/;

describe("manifests/samples", () => {
  it("are mirrored, paused or refused as the first line of each says", async () => {
    const samples = filesOf("manifests/samples/*.yaml").map(({ path, text }) => {
      const [, outcome, detail] = EXPECTATION.exec(text) ?? [];
      return { path, outcome, detail, objects: objectsOf(text) };
    });
    expect(samples.length).toBeGreaterThan(6);

    // What is to be refused because of another comes after that.
    for (const sample of samples.toSorted((a, b) => rank(a.outcome) - rank(b.outcome))) {
      const seen = await outcomeOf(sample.objects, sample.outcome ?? "");
      expect({ path: sample.path, ...seen }).toEqual({
        path: sample.path,
        outcome: sample.outcome,
        detail: sample.detail ?? seen.name,
        name: seen.name,
      });
    }
  });
});

interface Outcome {
  readonly outcome: string;
  /** The target's name, or the code of a refusal. */
  readonly detail: string;
  readonly name: string;
}

async function outcomeOf(objects: readonly Manifest[], expected: string): Promise<Outcome> {
  const [object] = objects;
  const name = object?.metadata.name ?? "";
  try {
    await bed.source.kubectl(["apply", "-n", "default", "-f", "-"], textOfObjects(objects));
  } catch (error) {
    const [, code = String(error)] = /\(([a-z-]+)\)\s*$/.exec(String(error)) ?? [];
    return { outcome: "refused", detail: code, name };
  }
  if (expected === "paused") {
    const { state } = await ferry.untilState(`default/${name}`, "paused");
    return { outcome: state, detail: name, name };
  }
  const { state, target } = await ferry.untilState(`default/${name}`, "synced");
  return { outcome: state, detail: target.replace(/^prod-test\//, ""), name };
}

function rank(outcome: string | undefined): number {
  return outcome === "refused" ? 1 : 0;
}

/** What is installed here asks a URL, not a Service, and would be mixed with one of the same name. */
function besideInstalled(object: Manifest): Manifest {
  if (!object.kind.endsWith("WebhookConfiguration")) return object;
  return { ...object, metadata: { ...object.metadata, name: "dry-run" } };
}

function isDeployment({ kind }: Manifest): boolean {
  return kind === "Deployment";
}

function templateOf(deployment: Manifest): WithPods["spec"]["template"] {
  return (deployment as unknown as WithPods).spec.template;
}

/** Without what kustomization.yaml adds. */
function withoutAdditions(object: Manifest): unknown {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (key === "configMap") return "configuration";
    if (key !== "labels") return value;
    const { "app.kubernetes.io/name": _name, ...labels } = value as Record<string, string>;
    return Object.keys(labels).length === 0 ? undefined : labels;
  });
}

/** Keys in one order. */
function spelled(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
