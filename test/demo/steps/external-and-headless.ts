import type { Stored } from "../../harness/manifest.js";
import type { Scene } from "../scene.js";
import { screen, whole } from "../screen.js";
import { isThere, specOf } from "../services.js";
import { endpointsOf, isSliceOf, readyAre } from "../slices.js";
import type { Stage } from "../stage.js";
import type { Step } from "./step.js";

const ADDRESSES = { "db-0": "10.1.1.1", "db-1": "10.1.1.2" };

export const externalAndHeadless: Step = {
  title: "ExternalName, and the host names of a StatefulSet",

  async play(stage) {
    await externalName(stage);
    await statefulSet(stage);
  },
};

async function externalName({ source, destination }: Stage): Promise<void> {
  const begin = performance.now();
  await source.type(
    "create",
    "service",
    "externalname",
    "docs",
    "--external-name=docs.example.com",
  );
  await source.type("label", "service", "docs", "sync=true");
  const mirror = await destination.sees.services.first(
    "the mirror of docs",
    begin,
    isThere("docs"),
  );
  const { type, externalName: name } = specOf(mirror);
  if (type !== "ExternalName" || name !== "docs.example.com")
    throw new Error(`docs is ${type} ${name}`);
  await destination.type("get", "service", "docs");
}

async function statefulSet({ source, destination }: Stage): Promise<void> {
  const begin = performance.now();
  await source.typeApply("a StatefulSet of 2 and its headless Service, labelled from the start", {
    apiVersion: "v1",
    kind: "List",
    items: [headlessService(), statefulSetOfTwo()],
  });
  for (const [pod, address] of Object.entries(ADDRESSES)) await run(source, pod, address, begin);
  const fits = readyAre("db", Object.values(ADDRESSES));
  const there = await source.sees.slices.first("the source's slice of db", begin, fits);
  const here = await destination.sees.slices.first("the mirror's slice of db", begin, fits);
  const mirror = await destination.sees.services.first("the mirror of db", begin, isThere("db"));
  if (specOf(mirror).clusterIP !== "None") throw new Error("the mirror of db is not headless");
  const names = hostNames(here.object);
  if (names.join() !== hostNames(there.object).join())
    throw new Error(`host names: ${names.join()}`);
  screen.note(
    `the mirror is headless and knows ${names.join(", ")} (${whole(here.atMs - there.atMs)})`,
  );
}

/** What scheduler and kubelet do: a Node, then an address. */
async function run(
  { cluster, namespace, sees }: Scene,
  pod: string,
  address: string,
  begin: number,
): Promise<void> {
  await sees.pods.first(`the Pod ${pod}`, begin, isThere(pod));
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}`;
  const target = { apiVersion: "v1", kind: "Node", name: "node" };
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: pod }, target };
  const bound = await cluster.request("POST", `${path}/binding`, binding);
  if (bound.status >= 300) throw new Error(`${pod} was not bound: ${JSON.stringify(bound.body)}`);
  const conditions = ["Ready", "ContainersReady"].map((type) => ({ type, status: "True" }));
  const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }], conditions };
  await cluster.request("PATCH", `${path}/status`, { status }, "application/merge-patch+json");
}

function hostNames(slice: Stored): readonly string[] {
  if (!isSliceOf("db", slice)) return [];
  return endpointsOf(slice)
    .map(({ hostname, addresses }) => `${hostname ?? "?"} = ${addresses.join(" ")}`)
    .toSorted();
}

function headlessService(): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "db", labels: { sync: "true" } },
    spec: { clusterIP: "None", selector: { app: "db" }, ports: [{ name: "sql", port: 5432 }] },
  };
}

function statefulSetOfTwo(): object {
  const containers = [{ name: "main", image: "example.invalid/none" }];
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db" },
    spec: {
      serviceName: "db",
      replicas: 2,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: { app: "db" } },
      template: { metadata: { labels: { app: "db" } }, spec: { containers } },
    },
  };
}
