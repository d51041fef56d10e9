import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const RULES = readFileSync(
  new URL("../../fixtures/etcd-carry-rules.yaml", import.meta.url),
  "utf8",
);

/** As its users know them. */
const OBJECTS = `
{apiVersion: v1, kind: Namespace, metadata: {name: unique, labels: {test.io/namespace-kind: unique}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: unit-test, labels: {test.io/namespace-kind: unit-test}}}
---
{apiVersion: v1, kind: Secret, metadata: {name: influxdb, namespace: unique}, stringData: {password: one}}
---
{apiVersion: v1, kind: Secret, metadata: {name: mysql, namespace: unit-test}, stringData: {password: two}}
---
{apiVersion: v1, kind: Secret, metadata: {name: exclude-me-secret, namespace: unique}, stringData: {password: three}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: influxdb1, namespace: unit-test, labels: {test.io/namespace-kind: unit}}, data: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: influxdb2, namespace: unique, labels: {test.io/namespace-kind: unit}}, data: {a: b}}
`;

let source: ControlPlane;
let destination: ControlPlane;
let link: MirrorLink;

beforeAll(async () => {
  [source, destination] = (await Promise.all(
    ["example-source", "example-destination"].map((name) =>
      startControlPlane({ name, controllerManager: false }),
    ),
  )) as [ControlPlane, ControlPlane];
  await source.kubectl(["apply", "-f", "-"], OBJECTS);
  link = new MirrorLink({ link: "example", source, destination, rules: RULES, api: destination });
  await link.start();
});
afterAll(async () => {
  await link.stop();
  await Promise.all([source.stop(), destination.stop()]);
});

/** What kubectl shows of the destination, beside what every cluster has. */
async function shown(): Promise<readonly string[]> {
  const [namespaces, rest] = await Promise.all([
    destination.kubectl(["get", "namespaces", "-o", "name"]),
    destination.kubectl(["get", "secrets,configmaps", "-A", "-o", NAMES]),
  ]);
  return [...namespaces.split("\n"), ...rest.split("\n")]
    .filter((line) => line !== "" && !/kube-|default/.test(line))
    .toSorted();
}

const NAMES =
  'jsonpath={range .items[*]}{.kind}{" "}{.metadata.namespace}{"/"}{.metadata.name}{"\\n"}{end}';
const settled = async (what: string, expected: readonly string[]): Promise<void> => {
  await waitFor(async () => JSON.stringify(await shown()) === JSON.stringify(expected), { what });
};

const FOUR = [
  "ConfigMap unit-test/influxdb1",
  "Secret unique/influxdb",
  "namespace/unique",
  "namespace/unit-test",
];

describe("the example that etcd-carry's users know, on two real control planes", () => {
  it("brings exactly its four objects, and kubectl reads them", async () => {
    await settled("the four", FOUR);

    expect(await link.owned()).toEqual([
      "configmaps/unit-test/influxdb1",
      "namespaces/unique",
      "namespaces/unit-test",
      "secrets/unique/influxdb",
    ]);
    const secret = await destination.kubectl([
      "get",
      "secret",
      "influxdb",
      "-n",
      "unique",
      "-o",
      "jsonpath={.data.password}",
    ]);
    expect(Buffer.from(secret, "base64").toString()).toBe("one");
  });

  it("takes away what is relabelled out of the rules, and brings what is relabelled into them", async () => {
    await source.kubectl([
      "label",
      "configmap",
      "influxdb1",
      "-n",
      "unit-test",
      "test.io/namespace-kind-",
    ]);
    await source.kubectl([
      "label",
      "namespace",
      "unit-test",
      "test.io/namespace-kind=unique",
      "--overwrite",
    ]);

    await settled("the relabelled", [
      "Secret unique/influxdb",
      "Secret unit-test/mysql",
      "namespace/unique",
      "namespace/unit-test",
    ]);
  });

  it("follows what happened while it was down, though the source has compacted it", async () => {
    await link.stop();
    await source.kubectl(["delete", "secret", "influxdb", "-n", "unique"]);
    await source.kubectl([
      "create",
      "secret",
      "generic",
      "postgres",
      "-n",
      "unique",
      "--from-literal=a=b",
    ]);
    await source.kubectl([
      "label",
      "configmap",
      "influxdb1",
      "-n",
      "unit-test",
      "test.io/namespace-kind=unit",
    ]);
    await link.compactSource();

    await link.start();

    await settled("all of it", [
      "ConfigMap unit-test/influxdb1",
      "Secret unique/postgres",
      "Secret unit-test/mysql",
      "namespace/unique",
      "namespace/unit-test",
    ]);
  });

  it("removes an empty Namespace through the API, and releases the one that holds what is not ours", async () => {
    await destination.kubectl(["create", "configmap", "native", "-n", "unit-test"]);
    await source.kubectl(["label", "namespace", "unique", "unit-test", "test.io/namespace-kind-"]);

    await waitFor(async () => (await link.debts())["namespaces/unit-test"] === "not-empty", {
      what: "the Namespace that is not empty to be released",
    });
    const left = await waitFor(
      async () => {
        const phase = [
          "get",
          "namespaces",
          "-o",
          "jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}",
        ];
        const phases = await destination.kubectl(phase);
        return phases.includes("unique=Terminating") && phases;
      },
      { what: "the empty one to go" },
    );

    expect(left).toContain("unit-test=Active");
    const rest = await destination.kubectl(["get", "configmaps", "-n", "unit-test", "-o", "name"]);
    expect(rest).toBe("configmap/influxdb1\nconfigmap/native\n");
    // Its rule names the namespace, whatever that is labelled.
    expect(await link.owned()).toEqual(["configmaps/unit-test/influxdb1"]);
  });

  it("removes a CRD through the API, and releases the one of which somebody else has an object", async () => {
    await source.kubectl(
      ["apply", "-f", "-"],
      `${crd("lamps", "Lamp")}\n---\n${crd("bells", "Bell")}`,
    );
    await waitFor(async () => (await crds()).length === 2, { what: "both CRDs" });
    const bell =
      "{apiVersion: example.com/v1, kind: Bell, metadata: {name: native, namespace: default}}";
    await waitFor(async () => destination.kubectl(["apply", "-f", "-"], bell), {
      what: "the destination to serve bells",
    });

    await source.kubectl(["delete", "crd", "lamps.example.com", "bells.example.com"]);

    const path = "apiextensions.k8s.io/customresourcedefinitions/bells.example.com";
    await waitFor(async () => (await link.debts())[path] === "not-empty", { what: "its release" });
    await waitFor(async () => (await crds()).length === 1, { what: "the other one's removal" });
    expect(await crds()).toEqual(["bells.example.com"]);
    expect(await destination.kubectl(["get", "bells", "-o", "name"])).toBe(
      "bell.example.com/native\n",
    );
  });
});

const crds = async (): Promise<readonly string[]> => {
  const names = ["get", "crds", "-o", 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'];
  return (await destination.kubectl(names)).split("\n").filter((name) => name !== "");
};

function crd(plural: string, kind: string): string {
  const schema = "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}";
  return `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ${plural}.example.com},
 spec: {group: example.com, names: {plural: ${plural}, kind: ${kind}}, scope: Namespaced,
 versions: [{name: v1, served: true, storage: true, schema: ${schema}}]}}`;
}
