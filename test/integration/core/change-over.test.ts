import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { AuditTrail } from "../../harness/audit-trail.js";
import { ChangeWatch, type WatchedChange } from "../../harness/change-watch.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import { LegacySync } from "../../harness/legacy-sync.js";
import { service } from "../../harness/manifests.js";
import { addressesOf, readyIps, type Slice } from "../../harness/namespace-view.js";
import { SteadyLoad } from "../../harness/steady-load.js";
import { runTool } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

const NAMES = ["web-0", "web-1", "web-2"];
/** Pods of each Service that stay, and one that comes and goes. */
const STEADY = 2;
const ADDRESS = { steady: (service_: number, pod: number) => `10.40.${service_}.${pod + 1}` };

let bed: FerryBed;
let story: Story;

/** What became of the destination from the first moment to the last. */
interface Story {
  readonly services: readonly WatchedChange[];
  readonly slices: readonly WatchedChange[];
  readonly endpoints: readonly WatchedChange[];
  /** Creations and deletions of Services, by whomever. */
  readonly recreated: readonly string[];
  readonly uids: Readonly<Record<"before" | "adopted" | "after", readonly string[]>>;
  readonly handedBack: number;
  /** Changes of pods meanwhile. */
  readonly podChanges: number;
}

beforeAll(async () => {
  bed = await openBed();
  await bed.source.createNode();
  for (const [index, name] of NAMES.entries()) await ferried(index, name);
  story = await changeOver();
});
afterAll(async () => bed.close());

async function ferried(index: number, name: string): Promise<void> {
  const { namespace } = bed.src;
  const spec = { selector: { app: name } };
  await bed.src.apply(service(namespace, name, { spec }));
  for (let pod = 0; pod < STEADY; pod += 1) {
    const address = ADDRESS.steady(index, pod);
    await bed.source.createPod(namespace, `${name}-steady-${pod}`, { app: name }, address);
  }
}

/** The change of each Service's pods that is under way: the next one waits for it. */
const underWay = NAMES.map(async () => Promise.resolve());

async function changePods(number: number): Promise<void> {
  const index = number % NAMES.length;
  const next = (underWay[index] ?? Promise.resolve()).then(async () => changePod(number, index));
  underWay[index] = next;
  await next;
}

/** A third pod of one Service after the other comes, and goes the next time. */
async function changePod(number: number, index: number): Promise<void> {
  const name = NAMES[index] ?? "";
  const round = Math.floor(number / NAMES.length);
  const pod = `${name}-passing-${Math.floor(round / 2)}`;
  if (round % 2 === 1) return bed.source.remove("Pod", bed.src.namespace, pod);
  const address = `10.41.${index}.${(Math.floor(round / 2) % 250) + 1}`;
  await bed.source.createPod(bed.src.namespace, pod, { app: name }, address);
}

/** From k8s-svc-sync to svc-ferry and back, as a person does it, while pods come and go. */
async function changeOver(): Promise<Story> {
  const { destination, dst } = bed;
  const before = new LegacySync(bed.src, dst, NAMES);
  for (const [index, name] of NAMES.entries()) await dst.untilAddresses(name, steady(index));
  const trail = new AuditTrail(inject("controlPlanes").auditLogPaths.destination);
  trail.next();
  const collections = ["v1/services", "discovery.k8s.io/v1/endpointslices", "v1/endpoints"];
  const [services, slices, endpoints] = await Promise.all(
    collections.map(async (one) => ChangeWatch.open(destination.connection, pathOf(one))),
  );
  const uids = { before: await serviceUids(), adopted: [] as readonly string[] };
  const pods = new SteadyLoad(changePods, { perSecond: 12, atOnce: NAMES.length });
  pods.start();

  await before.stop();
  const ferry = await bed.run();
  await waitFor(async () => (await managers()) === "svc-ferry.io", { what: "all to be adopted" });
  uids.adopted = await serviceUids();
  await someMore(pods);
  const { link = "" } = await ferry.status();
  await ferry.stop();
  const own = ["--kubeconfig", bed.kubeconfigPath, "--context", "destination"];
  const ours = ["-n", dst.namespace, "--link", link];
  const { code } = await runTool(["leave", ...own, ...ours, "--to", "k8s-svc-sync", "--yes"]);
  const after = new LegacySync(bed.src, dst, NAMES);
  await someMore(pods);

  await pods.stop();
  for (const name of NAMES) {
    await dst.untilAddresses(name, addressesOf(await bed.src.slices(name)));
  }
  await after.stop();
  const seen = await Promise.all([services, slices, endpoints].map(async (one) => one?.close()));
  const [seenServices = [], seenSlices = [], seenEndpoints = []] = seen;
  return {
    services: seenServices,
    slices: seenSlices,
    endpoints: seenEndpoints,
    recreated: recreations(trail),
    uids: { ...uids, after: await serviceUids() },
    handedBack: code,
    podChanges: pods.sent,
  };
}

function steady(index: number): readonly string[] {
  return Array.from({ length: STEADY }, (_, pod) => ADDRESS.steady(index, pod));
}

/** Two changes of each Service's pods. */
async function someMore(pods: SteadyLoad): Promise<void> {
  const goal = pods.sent + 4 * NAMES.length;
  await waitFor(() => pods.sent >= goal, { what: "pods to change" });
}

function pathOf(collection: string): string {
  const [group = "", ...rest] = collection.split("/");
  const root = group === "v1" ? "/api/v1" : `/apis/${group}/${rest.shift() ?? ""}`;
  return `${root}/namespaces/${bed.dst.namespace}/${rest.join("/")}`;
}

async function serviceUids(): Promise<readonly string[]> {
  return Promise.all(NAMES.map(async (name) => (await bed.dst.service(name)).metadata.uid));
}

/** Who manages the slices of the mirrors, each once. */
async function managers(): Promise<string> {
  const slices = await Promise.all(NAMES.map(async (name) => bed.dst.slices(name)));
  const names = slices
    .flat()
    .map(({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "");
  return [...new Set(names)].toSorted().join();
}

function recreations(trail: AuditTrail): readonly string[] {
  return trail
    .next()
    .filter(({ namespace, resource }) => namespace === bed.dst.namespace && resource === "services")
    .filter(({ verb, name }) => ["create", "delete"].includes(verb) && NAMES.includes(name))
    .map(({ verb, name, userAgent }) => `${verb} ${name} by ${userAgent}`);
}

/** What stands under a name after each change of it. A watch begins with what is there. */
function moments(
  changes: readonly WatchedChange[],
  read: (change: WatchedChange) => { readonly name: string; readonly addresses: readonly string[] },
): readonly { readonly name: string; readonly addresses: readonly string[] }[] {
  const held = new Map<string, { readonly name: string; readonly addresses: readonly string[] }>();
  return changes.map((change) => {
    const one = read(change);
    const { uid } = change.object.metadata;
    if (change.type === "DELETED") held.delete(uid);
    else held.set(uid, one);
    const same = [...held.values()].filter(({ name }) => name === one.name);
    return { name: one.name, addresses: [...new Set(same.flatMap(({ addresses }) => addresses))] };
  });
}

function inSlice({ object }: WatchedChange): { name: string; addresses: readonly string[] } {
  const name = object.metadata.labels?.["kubernetes.io/service-name"] ?? "";
  return { name, addresses: addressesOf([object as unknown as Slice]) };
}

function inEndpoints({ object }: WatchedChange): { name: string; addresses: readonly string[] } {
  return { name: object.metadata.name, addresses: readyIps(object) };
}

/** Moments in which a pod that was there all the time is missing, or somebody is there who never was. */
function wrong(all: ReturnType<typeof moments>): readonly string[] {
  return all
    .filter(({ name, addresses }) => {
      const index = NAMES.indexOf(name);
      const isWhole = steady(index).every((address) => addresses.includes(address));
      const known = [`10.40.${index}.`, `10.41.${index}.`];
      return !isWhole || addresses.some((one) => known.every((head) => !one.startsWith(head)));
    })
    .map(({ name, addresses }) => `${name}: ${addresses.join(" ")}`);
}

describe("from k8s-svc-sync to svc-ferry and back, while pods come and go", () => {
  it("deletes and re-creates no Service", () => {
    const { recreated, services, uids, handedBack } = story;

    expect(handedBack).toBe(0);
    expect(recreated).toEqual([]);
    expect(services.filter(({ type }) => type === "DELETED")).toEqual([]);
    expect(uids.adopted).toEqual(uids.before);
    expect(uids.after).toEqual(uids.before);
  });

  it("has the right addresses in slices at each moment", () => {
    const seen = moments(story.slices, inSlice);

    expect(story.podChanges).toBeGreaterThan(20);
    expect(seen.length).toBeGreaterThan(20);
    expect(wrong(seen)).toEqual([]);
  });

  it("has the right addresses in Endpoints at each moment", () => {
    const seen = moments(story.endpoints, inEndpoints);

    expect(seen.length).toBeGreaterThan(20);
    expect(wrong(seen)).toEqual([]);
  });

  it("leaves mirrors as k8s-svc-sync has them, marked and without anything of ours", async () => {
    for (const name of NAMES) {
      const { metadata } = await bed.dst.service(name);
      expect(metadata.labels).toEqual({ sync: "true-external" });
      expect(JSON.stringify(metadata.annotations ?? {})).not.toContain("svc-ferry");
    }
    expect(await managers()).toBe("endpointslicemirroring-controller.k8s.io");
  });
});
