/** The rules on what a real API server stored. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Catalog } from "../../../sidecar/keys/catalog.js";
import { ALLOW_CLASSES } from "../../../sidecar/rules/deny.js";
import type { Judgement, Ruleset } from "../../../sidecar/rules/ruleset.js";
import { parseStored } from "../../../sidecar/wire/parse.js";
import { rulesetOf } from "../../fixtures/mirror-rules.js";
import { textOf } from "../../fixtures/source-text.js";
import { Cluster } from "../../harness/cluster.js";
import { valuesIn } from "../../harness/etcd-gateway.js";

const KIND = "test.io/namespace-kind";

/** The example in namespaces and with label values of this test's own: control planes are shared. */
const [UNIQUE, UNIT_TEST] = ["rules-unique", "rules-unit-test"];
const EXAMPLE = textOf("test/fixtures/etcd-carry-rules.yaml")
  .replaceAll(/\bunique\b/g, UNIQUE)
  .replaceAll(/\bunit-test\b/g, UNIT_TEST);

describe("the rules of the mirror", () => {
  const { source } = inject("controlPlanes");
  const cluster = new Cluster(source);

  beforeAll(async () => {
    await cluster.createNamespace(UNIQUE, { [KIND]: UNIQUE });
    await cluster.createNamespace(UNIT_TEST, { [KIND]: UNIT_TEST });
    for (const [namespace, name] of [
      [UNIQUE, "influxdb"],
      [UNIT_TEST, "mysql"],
      [UNIQUE, "exclude-me-secret"],
    ] as const) {
      await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace } });
    }
    for (const [namespace, name] of [
      [UNIT_TEST, "influxdb1"],
      [UNIQUE, "influxdb2"],
    ] as const) {
      const metadata = { name, namespace, labels: { [KIND]: "unit" } };
      await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata });
    }
  });
  afterAll(async () => cluster.close());

  it("select exactly the four objects of etcd-carry's example from all that lies in etcd", async () => {
    const judged = await judgeAll(source.etcd, rulesetOf(EXAMPLE));
    // Other tests of the run have CRDs of their own, which the example copies too.
    const matching = judged.filter(
      ({ key, judgement }) =>
        judgement.kind === "match" && !key.includes("/customresourcedefinitions/"),
    );

    expect(matching.map(({ key }) => key)).toEqual([
      `/registry/configmaps/${UNIT_TEST}/influxdb1`,
      `/registry/namespaces/${UNIQUE}`,
      `/registry/namespaces/${UNIT_TEST}`,
      `/registry/secrets/${UNIQUE}/influxdb`,
    ]);
  });

  it("never select what would harm a cluster, even where everything is allowed", async () => {
    const all = `filters: { secondary: [{ group: "*", allow: [${ALLOW_CLASSES.join(", ")}] }] }`;
    const judged = await judgeAll(source.etcd, rulesetOf(all));
    const matching = judged.filter(({ judgement }) => judgement.kind === "match");
    const harmful =
      /^\/registry\/(?:leases|masterleases|events|ranges|ipaddresses|servicecidrs|minions|apiregistration\.k8s\.io)\/|\/kube-root-ca\.crt$|\/extension-apiserver-authentication$|\/services\/specs\//;

    expect(judged.some(({ key }) => key.endsWith("/kube-root-ca.crt"))).toBe(true);
    expect(judged.some(({ key }) => key.startsWith("/registry/leases/"))).toBe(true);
    expect(matching.length).toBeGreaterThan(50);
    expect(matching.filter(({ key }) => harmful.test(key))).toEqual([]);
  });
});

interface Judged {
  readonly key: string;
  readonly judgement: Judgement;
}

/** Every object in an etcd, with what the rules say of it. */
async function judgeAll(etcd: string, ruleset: Ruleset): Promise<readonly Judged[]> {
  const catalog = Catalog.builtin();
  const objects = (await valuesIn(etcd, "/registry/")).flatMap(([written, value]) => {
    const key = catalog.fromKey(written);
    if (key === undefined) return [];
    const parsed = parseStored(value);
    if (parsed.kind === "unreadable") throw new Error(`${written}: ${parsed.message}`);
    return [{ key, object: parsed.object }];
  });
  const labels = new Map(
    objects
      .filter(({ key }) => key.resource.kind === "Namespace")
      .map(({ key, object }) => [key.name, object.meta.labels] as const),
  );
  const namespaces = { labels: (name: string) => labels.get(name) };
  return objects.map(({ key, object }) => ({
    key: key.key,
    judgement: ruleset.judge(key, object, namespaces),
  }));
}
