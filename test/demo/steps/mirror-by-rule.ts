import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startFerry } from "../../harness/ferry-process.js";
import { waitFor } from "../../harness/wait-for.js";
import { screen } from "../screen.js";
import { type Stage, typeFerry } from "../stage.js";
import type { Step } from "./step.js";

/** etcd-carry's example in YAML's short form, with a Service by way of the API server beside it. */
const RULES = `filters:
  sequential:
    - resources: [{ group: "", version: v1, kind: Namespace }]
      labelSelectors: [{ matchExpressions: [{ key: test.io/namespace-kind, operator: In, values: [unique, unit-test] }] }]
  secondary:
    - resources: [{ group: "", version: v1, kind: Secret }]
      namespaceSelectors: [{ matchLabels: { test.io/namespace-kind: unique } }]
      fieldSelectors: [{ matchExpressions: [{ key: type, operator: NotIn, values: [kubernetes.io/service-account-token] }] }]
      excludes: [{ resource: { group: "", version: v1, kind: Secret }, name: exclude-me-secret, namespace: unique }]
    - resources: [{ group: "", version: v1, kind: ConfigMap }]
      namespace: unit-test
      labelSelectors: [{ matchExpressions: [{ key: test.io/namespace-kind, operator: Exists }] }]
    - resources: [{ group: "", version: v1, kind: Service }]
      namespace: unique
`;

/** What the rules want of what is made below: no more, no less. */
const WANTED = [
  "configmap/influxdb1",
  "namespace/unique",
  "namespace/unit-test",
  "secret/influxdb",
];
const OF_THE_STORY = "namespace,secret,configmap";

export const mirrorByRule: Step = {
  title: "Any other object, by rule, from etcd to etcd",

  async play(stage) {
    const { source, destination } = stage;
    await source.typeAnywhere(["apply", "-f", "-"], JSON.stringify(objects()));
    const rules = join(dirname(stage.kubeconfig), "rules.yaml");
    writeFileSync(rules, RULES);
    screen.note(
      "the rules: labelled Namespaces; Secrets but one in one of them; ConfigMaps in the other; a Service",
    );
    const args = mirrorArgs(stage, rules);
    await typeFerry(["mirror", "plan", ...args], 1);
    await startMirror(stage, args);

    const begin = performance.now();
    await waitFor(async () => (await arrived(stage)).length >= WANTED.length, {
      what: "the objects of the rules",
    });
    screen.note(`they are there after ${Math.round(performance.now() - begin)} ms`);
    await destination.typeAnywhere(["get", OF_THE_STORY, "-A", "-l", "story=mirror"]);
    const found = await arrived(stage);
    if (found.join() !== WANTED.join()) throw new Error(`there are ${found.join(", ")}`);
    await serviceOfItsOwn(stage);
    await typeFerry(["mirror", "verify", ...args]);
  },
};

/** The same name and ports, an address of the destination's own. */
async function serviceOfItsOwn({ source, destination }: Stage): Promise<void> {
  const address = [
    "get",
    "service",
    "influxdb",
    "-n",
    "unique",
    "-o",
    "jsonpath={.spec.clusterIP}",
  ];
  const there = await waitFor(
    async () => {
      try {
        return await destination.ask(address);
      } catch {
        return undefined; // not there yet
      }
    },
    { what: "the Service influxdb", timeoutMs: 20_000 },
  );
  const here = await source.ask(address);
  if (there === here || !there.startsWith("10.97.")) throw new Error(`its address is ${there}`);
  screen.note(
    `the Service went by way of the API server: ${here} in the source, ${there} in the destination`,
  );
}

async function startMirror(stage: Stage, args: readonly string[]): Promise<void> {
  const own = ["--bind-port=0", "--bind-address=127.0.0.1", "--pod-name=mirror-1"];
  screen.typed(`svc-ferry mirror ${args.join(" ")}`);
  const mirror = startFerry({ args: ["mirror", "run", ...args, ...own] });
  stage.cleanup.add(async () => void (await mirror.stop()));
  await mirror.waitForLine(/listening/);
}

function mirrorArgs({ etcds, kubeconfig }: Stage, rules: string): readonly string[] {
  return [
    `--mirror-rule=${rules}`,
    `--source-endpoints=${etcds.source}`,
    `--dest-endpoints=${etcds.destination}`,
    `--dest-kubeconfig=${kubeconfig}`,
    "--dest-context=destination",
  ];
}

async function arrived({ destination }: Stage): Promise<readonly string[]> {
  const names = await destination.ask([
    "get",
    OF_THE_STORY,
    "-A",
    "-l",
    "story=mirror",
    "-o",
    "name",
  ]);
  return names
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

function objects(): object {
  const kind = "test.io/namespace-kind";
  const made = (what: string, name: string, namespace: string, labels = {}): object => ({
    apiVersion: "v1",
    kind: what,
    metadata: { name, namespace, labels: { story: "mirror", ...labels } },
  });
  const space = (name: string): object => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { story: "mirror", [kind]: name } },
  });
  const service = {
    ...made("Service", "influxdb", "unique"),
    spec: { selector: { app: "influxdb" }, ports: [{ port: 8086 }] },
  };
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      space("unique"),
      space("unit-test"),
      made("Secret", "influxdb", "unique"),
      made("Secret", "exclude-me-secret", "unique"),
      made("Secret", "mysql", "unit-test"),
      made("ConfigMap", "influxdb1", "unit-test", { [kind]: "unit" }),
      made("ConfigMap", "influxdb2", "unique", { [kind]: "unit" }),
      service,
    ],
  };
}
