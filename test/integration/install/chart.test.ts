import { beforeAll, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import { granted } from "../../fixtures/installed-objects.js";
import { filesOf, textOf } from "../../fixtures/source-text.js";
import { runCommand } from "../../controlplane/run-command.js";
import { locateHelm } from "../../helm/locate-helm.js";
import type { Manifest } from "../../harness/manifest.js";
import { objectsOf, render, renderWith } from "../../harness/overlay.js";

const CHART = "charts/svc-ferry";
/** Where the manifests put it. */
const NAMESPACES = { source: "k8s-sync", destination: "svc-ferry" };

let helm: string;

beforeAll(async () => {
  helm = await locateHelm();
});

/** kubectl of the shared control planes; kustomize asks no server. */
const kustomize = {
  kubectl: async (args: readonly string[]): Promise<string> =>
    runCommand(inject("controlPlanes").source.kubectlPath, args),
};

async function template(
  cluster: "source" | "destination",
  ...more: readonly string[]
): Promise<readonly Manifest[]> {
  const common = ["template", "svc-ferry", CHART, "--namespace", NAMESPACES[cluster]];
  return objectsOf(await runCommand(helm, [...common, "--set", `cluster=${cluster}`, ...more]));
}

describe("the chart", () => {
  it("renders what manifests/source does, but for the namespace, and a test beside it", async () => {
    const [chart, manifests] = [
      await template("source"),
      await render(kustomize, "manifests/source"),
    ];

    expect(named(chart, "Pod")).toEqual(named(manifests, "Namespace"));
  });

  it("renders what manifests/destination does, but for the namespace", async () => {
    const chart = await template("destination");
    const manifests = await render(kustomize, "manifests/destination");

    expect(named(chart)).toEqual(named(manifests, "Namespace"));
  });

  it("renders the account of the etcd mirror beside it as manifests/mirror-destination does", async () => {
    const chart = await template("destination", "--set", "destination.mirror=true");
    const folders = ["manifests/destination", "manifests/mirror-destination"];
    const manifests = await Promise.all(folders.map((folder) => render(kustomize, folder)));

    expect(named(chart)).toEqual(named(manifests.flat(), "Namespace"));
  });

  it.each([
    ["fail-closed", ["webhook.failurePolicy=Fail"]],
    ["cert-manager", ["certManager.enabled=true"]],
    ["mirror-deployment", ["mirror.as=deployment"]],
    ["mirror-sidecar", ["mirror.as=sidecar"]],
    [
      "monitoring",
      ["monitoring.podMonitor=true", "monitoring.prometheusRule=true", "monitoring.dashboard=true"],
    ],
  ])(
    "renders with the values that stand for it what the component %s does",
    async (component, values) => {
      const chart = await template("source", ...values.flatMap((value) => ["--set", value]));
      const manifests = await renderWith(kustomize, component);

      expect(named(chart, "Pod")).toEqual(named(manifests, "Namespace"));
    },
  );

  it("renders the same bytes twice", async () => {
    const args = ["template", "svc-ferry", CHART, "--values", `${CHART}/ci/source-values.yaml`];

    const [one, other] = [await runCommand(helm, args), await runCommand(helm, args)];

    expect(one).toBe(other);
  });

  it.each(filesOf(`${CHART}/ci/*.yaml`).map(({ path }) => path))(
    "passes helm's own linter with %s",
    async (values) => {
      const said = await runCommand(helm, ["lint", "--strict", CHART, "--values", values]);

      expect(said).toContain("0 chart(s) failed");
    },
  );

  it("grants what many routes need: each namespace by itself, all of them by one role of the cluster", async () => {
    const one = await template(
      "source",
      "--set-json",
      'config.routes=[{"name":"a","namespaces":["shop","cart"],"target":{"namespace":"p"}}]',
    );
    const all = await template("source", "--values", `${CHART}/ci/source-values.yaml`);

    const roles = (objects: readonly Manifest[]): readonly string[] =>
      objects
        .filter(({ metadata }) => metadata.name.endsWith("-source"))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? "*"}`);
    expect(roles(one).toSorted()).toEqual([
      "Role cart",
      "Role shop",
      "RoleBinding cart",
      "RoleBinding shop",
    ]);
    expect(roles(all).toSorted()).toEqual(["ClusterRole *", "ClusterRoleBinding *"]);
    expect(namespacesToGet(one)).toEqual(["kube-system", "shop", "cart"]);
    expect(namespacesToGet(all)).toEqual(["kube-system"]);
  });

  it("tells svc-ferry where it was installed", async () => {
    const args = [
      "template",
      "svc-ferry",
      CHART,
      "--namespace",
      "other",
      "--set",
      "clusterName=other",
    ];

    const objects = objectsOf(await runCommand(helm, args));

    const config = objects.find(({ kind }) => kind === "ConfigMap")?.["data"];
    expect(parse((config as { "ferry.yaml": string })["ferry.yaml"])).toMatchObject({
      leaderElectionNamespace: "other",
      webhookConfiguration: "other",
    });
    expect(JSON.stringify(objects)).not.toContain('k8s-sync"');
  });

  it.each([
    ["a value that it does not know", "replica=3", /replica/],
    ["a value of the wrong kind", "replicas=many", /replicas/],
    ["a policy that there is not", "webhook.failurePolicy=Sometimes", /failurePolicy/],
  ])("refuses %s", async (_, value, named_) => {
    await expect(template("source", "--set", value)).rejects.toThrow(named_);
  });

  it("looks nothing up and makes no secrets, so that GitOps tools render it as helm does", () => {
    const text = filesOf(`${CHART}/templates/**/*.*`)
      .map((file) => file.text)
      .join("\n");

    expect(text).not.toMatch(/\blookup\b|genCA|genSelfSignedCert|rand(?:Alpha|Numeric|Bytes)/);
  });

  it("has the version of the package", () => {
    const { version } = JSON.parse(textOf("package.json")) as { readonly version: string };

    expect(parse(textOf(`${CHART}/Chart.yaml`))).toMatchObject({ version, appVersion: version });
  });
});

/** Objects by kind and name, without what differs on purpose. @param except a kind that only one of both has */
function named(objects: readonly Manifest[], except?: string): Readonly<Record<string, unknown>> {
  const entries = objects
    .filter(({ kind }) => kind !== except)
    .map((object) => {
      const { kind, metadata } = object;
      const name = metadata.name.replace(HASH, "");
      return [`${kind} ${metadata.namespace ?? ""}/${name}`, comparable(object)] as const;
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** Behind the name of a generated ConfigMap. */
const HASH = /(?<=^svc-ferry-(?:config|mirror-rules))-[a-z0-9]{10}$/;

/** Labels by which helm knows its own, and what makes pods follow the configuration: kustomize has the name's hash for that. */
const HELMS = new Set([
  "helm.sh/chart",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/version",
  "checksum/config",
]);

function comparable(object: Manifest): unknown {
  return JSON.parse(JSON.stringify(object), (key, value: unknown) => {
    if (HELMS.has(key)) return undefined;
    if (key === "annotations" && Object.keys(value as object).length === 0) return undefined;
    if (key === "ferry.yaml" || key === "rules.yaml") return parse(value as string) as unknown;
    if (key === "svc-ferry.json") return JSON.parse(value as string) as unknown;
    return typeof value === "string" && key === "name" ? value.replace(HASH, "") : value;
  });
}

/** Which namespaces may be asked whether they are there. */
function namespacesToGet(objects: readonly Manifest[]): readonly (string | undefined)[] {
  return granted(objects)
    .filter(({ verb, resource }) => verb === "get" && resource === "namespaces")
    .map(({ name }) => name);
}
