import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { ExplainReport, Finding } from "../../../src/ports/explain-report.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import type { NamespaceView } from "../../harness/namespace-view.js";
import { waitFor } from "../../harness/wait-for.js";
import { runTool } from "../../harness/tool-run.js";

let bed: FerryBed;
let ferry: FerryRun;
/** A second source namespace; both go to the same one. */
let other: NamespaceView;

beforeAll(async () => {
  bed = await openBed();
  other = await bed.namespace("source");
  ferry = await bed.run({ file: routes() });
});
afterAll(async () => bed.close());

function routes(...more: readonly object[]): Readonly<Record<string, unknown>> {
  const namespaces = [bed.src.namespace, other.namespace];
  const shop = { name: "shop", namespaces, target: { namespace: bed.dst.namespace } };
  return { routes: [shop, ...more] };
}

/** The only finding. */
async function explain(
  words: readonly string[],
  file: Readonly<Record<string, unknown>> = routes(),
): Promise<Finding> {
  const flags = [
    `--kubeconfig=${bed.kubeconfigPath}`,
    "--src-context=source",
    "--dst-context=destination",
    `--leader-election-namespace=${bed.src.namespace}`,
    "--leader-election-name=ferry",
    "--config=ferry.yaml",
    "--output=json",
  ];
  const { out, err } = await runTool(["explain", ...flags, ...words], stringify(file));
  if (err !== "") throw new Error(err);
  const [finding, ...others] = (JSON.parse(out) as ExplainReport).findings;
  if (finding === undefined || others.length > 0) throw new Error(`not one finding: ${out}`);
  return finding;
}

async function codeOf(name: string): Promise<string | undefined> {
  return (await explain([`${bed.src.namespace}/${name}`])).reason?.code;
}

describe("svc-ferry explain finds what the leader finds", () => {
  it.each([
    ["invalid-name", { "svc-ferry.io/target-name": "No.Name" }],
    ["name-too-long", { "svc-ferry.io/target-name": "a".repeat(64) }],
    ["invalid-namespace", { "svc-ferry.io/target-namespace": "No.Name" }],
    ["target-not-allowed", { "svc-ferry.io/target-namespace": "default" }],
    ["paused", { "svc-ferry.io/paused": "true" }],
  ])("%s", async (code, annotations) => {
    await bed.src.apply(service(bed.src.namespace, code, { annotations }));
    await ferry.untilState(
      `${bed.src.namespace}/${code}`,
      code === "paused" ? "paused" : "refused",
    );

    expect(await codeOf(code)).toBe(code);
  });

  it("is-a-mirror", async () => {
    const labels = { sync: "true", "svc-ferry.io/link": "another" };
    await bed.src.apply(service(bed.src.namespace, "is-a-mirror", { labels }));

    expect(await codeOf("is-a-mirror")).toBe("is-a-mirror");
  });

  it("name-taken", async () => {
    await other.apply(service(other.namespace, "twice"));
    await ferry.untilState(`${other.namespace}/twice`, "synced");
    await bed.src.apply(service(bed.src.namespace, "twice"));
    await ferry.untilState(`${bed.src.namespace}/twice`, "conflict");

    const finding = await explain([`${bed.src.namespace}/twice`]);

    expect(finding.reason?.code).toBe("name-taken");
    expect(finding.reason?.message).toContain(`${other.namespace}/twice`);
  });

  it("held-by-other-link", async () => {
    const labels = { "svc-ferry.io/link": "another", "app.kubernetes.io/managed-by": "svc-ferry" };
    await bed.dst.apply(service(bed.dst.namespace, "held", { labels }));
    await bed.src.apply(service(bed.src.namespace, "held"));

    expect(await codeOf("held")).toBe("held-by-other-link");
  });

  it("mirror-terminating", async () => {
    await bed.src.apply(service(bed.src.namespace, "ending"));
    await ferry.untilState(`${bed.src.namespace}/ending`, "synced");
    await bed.dst.patch("Service", "ending", { metadata: { finalizers: ["test/hold"] } });
    await bed.dst.remove("Service", "ending");

    const code = await codeOf("ending");
    await bed.dst.patch("Service", "ending", { metadata: { finalizers: null } });

    expect(code).toBe("mirror-terminating");
  });

  it("namespace-missing and namespace-terminating", async () => {
    const namespace = bed.name("gone");
    const lost = { name: "lost", namespaces: [bed.src.namespace], target: { namespace } };
    const file = routes({ ...lost, selector: "lost=yes" });
    await bed.src.apply(service(bed.src.namespace, "lost", { labels: { lost: "yes" } }));
    const asked = [`${bed.src.namespace}/lost`];

    const missing = await explain(asked, file);
    await bed.destination.createNamespace(namespace);
    const metadata = { namespace, name: "holds", finalizers: ["test/hold"] };
    await bed.destination.create({ apiVersion: "v1", kind: "ConfigMap", metadata });
    await bed.destination.remove("Namespace", undefined, namespace);
    const terminating = await explain(asked, file);
    await bed.destination.patch("ConfigMap", namespace, "holds", {
      metadata: { finalizers: null },
    });

    expect(missing).toMatchObject({
      reason: { code: "namespace-missing" },
      fix: `kubectl --context destination create namespace ${namespace}`,
    });
    expect(terminating.reason?.code).toBe("namespace-terminating");
  });

  it("rejected-by-destination, without storing anything", async () => {
    const policy = bed.name("no-port-7");
    const admission = { apiVersion: "admissionregistration.k8s.io/v1" };
    const rules = [
      { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["services"] },
    ];
    await bed.destination.apply({
      ...admission,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: policy },
      spec: {
        matchConstraints: {
          resourceRules: rules,
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": bed.dst.namespace } },
        },
        validations: [
          {
            expression: "!has(object.spec.ports) || object.spec.ports.all(p, p.port != 7)",
            reason: "Invalid",
          },
        ],
      },
    } as Parameters<typeof bed.destination.apply>[0]);
    await bed.destination.apply({
      ...admission,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: policy },
      spec: { policyName: policy, validationActions: ["Deny"] },
    } as Parameters<typeof bed.destination.apply>[0]);
    const seven = { spec: { ports: [{ port: 7 }] } };
    const path = `/api/v1/namespaces/${bed.dst.namespace}/services?dryRun=All`;
    await waitFor(
      async () => {
        const asked = service(bed.dst.namespace, "seven", seven);
        return (await bed.destination.request("POST", path, asked)).status === 422;
      },
      { what: "the policy to count" },
    );
    await bed.src.apply(service(bed.src.namespace, "seven", seven));
    await ferry.untilState(`${bed.src.namespace}/seven`, "refused", "rejected-by-destination");

    const finding = await explain([`${bed.src.namespace}/seven`]);
    for (const kind of ["ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"]) {
      const full = `admissionregistration.k8s.io/v1/${kind}`;
      await bed.destination.remove(full, undefined, policy);
    }

    expect(finding.reason?.code).toBe("rejected-by-destination");
  });

  it("type-reduced and cluster-local-external-name, of what is synced", async () => {
    const { namespace } = bed.src;
    await bed.src.apply(service(namespace, "node-port", { spec: { type: "NodePort" } }));
    const externalName = "db.default.svc.cluster.local";
    const spec = { type: "ExternalName", externalName, ports: undefined };
    await bed.src.apply(service(namespace, "external", { spec }));
    for (const name of ["node-port", "external"]) {
      await ferry.untilState(`${namespace}/${name}`, "synced");
    }
    await bed.settle(ferry);

    const found = [
      await explain([`${namespace}/node-port`]),
      await explain([`${namespace}/external`]),
    ];

    expect(found.map(({ verdict }) => verdict)).toEqual(["synced", "synced"]);
    expect(found.flatMap(({ remarks }) => remarks.map(({ code }) => code))).toEqual([
      "type-reduced",
      "cluster-local-external-name",
    ]);
  });

  it("foreign-endpoints", async () => {
    await bed.src.apply(service(bed.src.namespace, "crowded"));
    await ferry.untilState(`${bed.src.namespace}/crowded`, "synced");
    await bed.dst.apply(slice(bed.dst.namespace, "crowded", ["10.9.0.1"]));

    const { verdict, remarks } = await explain([`${bed.src.namespace}/crowded`]);

    expect(verdict).toBe("synced");
    expect(remarks.map(({ code }) => code)).toEqual(["foreign-endpoints"]);
  });

  it("route-gone and former-cluster, of mirrors that nobody wants", async () => {
    await bed.src.apply(service(bed.src.namespace, "former"));
    await ferry.untilState(`${bed.src.namespace}/former`, "synced");
    const mirror = [`${bed.dst.namespace}/former`, "--in", "destination"];
    const elsewhere = {
      routes: [{ name: "else", namespaces: ["default"], target: { namespace: bed.dst.namespace } }],
    };

    const gone = await explain(mirror, elsewhere);
    await bed.stopRuns();
    await bed.src.remove("Service", "former");
    const annotations = { "svc-ferry.io/source-cluster": "another" };
    await bed.dst.patch("Service", "former", { metadata: { annotations } });
    const former = await explain(mirror);

    expect([gone.reason?.code, former.reason?.code]).toEqual(["route-gone", "former-cluster"]);
  });

  it("link-held-elsewhere", async () => {
    const lease = (await bed.destination.list("Lease", bed.dst.namespace)).find(({ metadata }) =>
      metadata.name.startsWith(`${bed.src.namespace}.ferry`),
    );
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    await bed.destination.patch("Lease", bed.dst.namespace, lease?.metadata.name ?? "", {
      metadata: { annotations: { "svc-ferry.io/process-id": "a-clone" } },
      spec: { holderIdentity: "clone-1", renewTime, leaseDurationSeconds: 15 },
    });
    await bed.src.apply(service(bed.src.namespace, "cloned"));

    const finding = await explain([`${bed.src.namespace}/cloned`]);

    expect(finding.reason).toMatchObject({
      code: "link-held-elsewhere",
      message: expect.stringContaining("held by clone-1"),
    });
  });
});
