import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { NamespaceView, portsOf } from "../../harness/namespace-view.js";
import { PacedClock } from "../../harness/paced-clock.js";
import { runTool } from "../../harness/tool-run.js";
import { waitFor } from "../../harness/wait-for.js";

const TARGET_NAME = "svc-ferry.io/target-name";
const TARGET_NAMESPACE = "svc-ferry.io/target-namespace";

/** So long that a renewal has its seconds also when time goes by faster. */
const LEASE = { leaseDuration: "60s", renewDeadline: "50s", retryPeriod: "5s" };

let bed: FerryBed;
let ferry: FerryRun;
const clock = new PacedClock();
/** Namespaces that the route's `targets` allow; the last two do not exist at first. */
let allowed: NamespaceView;
let missing: NamespaceView;
let ending: NamespaceView;
/** Exists, and is no target. */
let forbidden: NamespaceView;

beforeAll(async () => {
  bed = await openBed();
  allowed = await bed.namespace("destination", `allowed-${bed.id}`);
  forbidden = await bed.namespace("destination", `forbidden-${bed.id}`);
  ending = await bed.namespace("destination", `ending-${bed.id}`);
  missing = new NamespaceView(bed.destination, `missing-${bed.id}`);
  const namespaces = [allowed, missing, ending].map(({ namespace }) => namespace);
  ferry = await bed.run({
    clock,
    flags: LEASE,
    everywhere: ["destination"],
    file: {
      routes: [
        {
          name: "shop",
          namespaces: [bed.src.namespace],
          target: { namespace: bed.dst.namespace, name: "{name}" },
          targets: { namespaces },
          copyAnnotations: ["example.com/owner"],
        },
      ],
    },
  });
});
afterAll(async () => {
  await bed.destination.remove("Namespace", undefined, missing.namespace);
  await bed.close();
});

async function apply(
  name: string,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  await bed.src.apply(service(bed.src.namespace, name, { annotations }));
}

async function annotate(
  name: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await bed.src.patch("Service", name, { metadata: { annotations } });
}

describe("a Service that says where it goes", () => {
  it("gets the name that it asks for, and takes its mirror along when it asks for another", async () => {
    await apply("renamed", { [TARGET_NAME]: "first" });
    await bed.dst.untilService("first");

    await annotate("renamed", { [TARGET_NAME]: "second" });
    await bed.dst.untilService("second");
    await bed.dst.untilGone("Service", "first");
    await bed.dst.untilGone("Endpoints", "first");

    expect(await bed.dst.get("Service", "renamed")).toBeUndefined();
  });

  it("gets the namespace that it asks for when the route allows that", async () => {
    await apply("placed", { [TARGET_NAMESPACE]: allowed.namespace });

    await allowed.untilService("placed");

    expect(await bed.dst.get("Service", "placed")).toBeUndefined();
  });

  it.each([
    [
      "a namespace outside the route's targets",
      "target-not-allowed",
      () => ({ [TARGET_NAMESPACE]: forbidden.namespace }),
    ],
    [
      "a namespace of Kubernetes",
      "target-not-allowed",
      () => ({ [TARGET_NAMESPACE]: "kube-system" }),
    ],
    ["what is no namespace", "invalid-namespace", () => ({ [TARGET_NAMESPACE]: "No_Such" })],
    ["what is no Service name", "invalid-name", () => ({ [TARGET_NAME]: "Not_Valid" })],
    ["a name that is too long", "name-too-long", () => ({ [TARGET_NAME]: "n".repeat(64) })],
  ])(
    "is refused with an Event and without a write when it asks for %s",
    async (what, code, annotations) => {
      const name = code + String(what.length);
      await bed.settle(ferry);
      await bed.forgetWrites();

      await apply(name, annotations());
      await bed.src.untilEvent(name, new RegExp(`^Refused: ${code}: `));
      await ferry.untilState(`${bed.src.namespace}/${name}`, "refused", code);
      await bed.settle(ferry);
      const writes = await bed.writes(ferry);
      await annotate(name, { [TARGET_NAME]: null, [TARGET_NAMESPACE]: null });
      await bed.dst.untilService(name);

      expect(writes).toEqual([]);
      expect(await forbidden.cluster.list("Service", forbidden.namespace)).toEqual([]);
      await ferry.untilState(`${bed.src.namespace}/${name}`, "synced");
    },
  );

  it("keeps the mirror that it has, live, when it begins to ask for what is refused, until its label goes", async () => {
    await apply("strayed");
    await bed.dst.untilService("strayed");
    await bed.settle(ferry);
    await bed.forgetWrites();

    await annotate("strayed", { [TARGET_NAMESPACE]: forbidden.namespace });
    await ferry.untilState(`${bed.src.namespace}/strayed`, "refused", "target-not-allowed");
    await bed.settle(ferry);
    const writes = await bed.writes(ferry);
    const { services } = await ferry.status();
    await bed.src.apply(slice(bed.src.namespace, "strayed", ["10.1.0.7"]));
    await bed.dst.untilEndpoints("strayed", ["10.1.0.7"]);
    await bed.src.patch("Service", "strayed", { metadata: { labels: { sync: null } } });
    await bed.dst.untilGone("Service", "strayed");

    expect(writes).toEqual([]);
    const states = services.filter((one) => one.service === `${bed.src.namespace}/strayed`);
    expect(states.map(({ state }) => state).toSorted()).toEqual(["refused", "synced"]);
  });

  it("takes along the annotations that the route names, and drops them again", async () => {
    await apply("annotated", { "example.com/owner": "me", "example.com/other": "x" });
    const first = await bed.dst.untilService("annotated");
    await annotate("annotated", { "example.com/owner": null });
    const second = await bed.dst.untilService(
      "annotated",
      ({ metadata }) => metadata.annotations?.["example.com/owner"] === undefined,
    );

    expect(first.metadata.annotations).toMatchObject({ "example.com/owner": "me" });
    expect(first.metadata.annotations).not.toHaveProperty(["example.com/other"]);
    expect(second.metadata.uid).toBe(first.metadata.uid);
  });
});

describe("a namespace of the destination", () => {
  it("that does not exist and may not be created is waited for, with one Event", async () => {
    await apply("waiting", { [TARGET_NAMESPACE]: missing.namespace });
    await bed.src.untilEvent("waiting", /^Refused: namespace-missing: /);
    await ferry.untilState(`${bed.src.namespace}/waiting`, "refused", "namespace-missing");

    await bed.destination.createNamespace(missing.namespace);
    await missing.untilService("waiting");

    await ferry.untilState(`${bed.src.namespace}/waiting`, "synced");
    const said = ferry.logged("namespace-missing").filter((record) => isAbout(record, "waiting"));
    expect(said).toHaveLength(1);
    expect(await bed.writes(ferry)).not.toContain(`create namespaces ${missing.namespace}`);
  });

  it(
    "that is going away is refused with one Event and tried again until it is back",
    { timeout: 120_000 },
    async () => {
      await apply("late", { [TARGET_NAMESPACE]: ending.namespace });
      await ending.untilService("late");
      await ending.apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: ending.namespace, name: "anchor", finalizers: ["example.com/hold"] },
      });
      await bed.forgetWrites();

      await bed.destination.remove("Namespace", undefined, ending.namespace);
      await bed.src.untilEvent("late", /^Refused: namespace-terminating: /);
      await waitFor(
        async () => (await bed.writes(ferry, { name: "late" })).filter(isRefusedCreate).length >= 3,
        { what: "three attempts" },
      );
      await ending.patch("ConfigMap", "anchor", { metadata: { finalizers: null } });
      await waitFor(
        async () =>
          (await bed.destination.get("Namespace", undefined, ending.namespace)) === undefined,
        { what: "the end of the namespace", timeoutMs: 30_000 },
      );
      await bed.destination.createNamespace(ending.namespace);
      // The pauses between attempts have doubled meanwhile.
      clock.goBy(5);
      const mirror = await ending.untilService("late", () => true, 40_000);
      clock.goBy(1);

      expect(portsOf(mirror)).toEqual([80]);
      const said = ferry
        .logged("namespace-terminating")
        .filter((record) => isAbout(record, "late"));
      expect(said).toHaveLength(1);
      const events = await bed.src.events("late");
      expect(events.filter((event) => event.includes("namespace-terminating"))).toHaveLength(1);
    },
  );

  it("that the flags name is created when it is missing", async () => {
    const fresh = new NamespaceView(bed.destination, `fresh-${bed.id}`);
    const from = await bed.namespace("source", `from-${bed.id}`);
    await from.apply(service(from.namespace, "web"));

    await bed.run({
      everywhere: ["destination"],
      flags: {
        srcNs: from.namespace,
        dstNs: fresh.namespace,
        createNamespace: true,
        leaderElectionNamespace: from.namespace,
      },
    });

    await fresh.untilService("web");
    await bed.destination.remove("Namespace", undefined, fresh.namespace);
  });
});

describe("a mapped namespace of the destination that does not exist, nor the Role in it", () => {
  let own: FerryBed;

  // The account of the bed above may look into all namespaces.
  beforeAll(async () => {
    own = await openBed();
  });
  afterAll(async () => own.close());

  it("holds up no other, and is found when it comes", { timeout: 60_000 }, async () => {
    const { src } = own;
    const other = await own.namespace("source");
    const late = new NamespaceView(own.destination, `late-${own.id}`);
    const to = (name: string, from: NamespaceView, target: NamespaceView): object => ({
      name,
      namespaces: [from.namespace],
      target: { namespace: target.namespace },
    });
    const routes = [to("here", src, own.dst), to("late", other, late)];
    await src.apply(service(src.namespace, "goes-on"));
    await other.apply(service(other.namespace, "waits"));

    const run = await own.run({ file: { routes } });
    await own.dst.untilService("goes-on");
    await run.untilState(`${other.namespace}/waits`, "retrying", "FERRY-K006");
    await own.destination.createNamespace(late.namespace);
    await own.grant({ file: { routes } });

    // The longest pause between attempts.
    await late.untilService("waits", () => true, 40_000);
    await run.untilState(`${other.namespace}/waits`, "synced");
    await own.stopRuns();
    await own.destination.remove("Namespace", undefined, late.namespace);
  });

  it("holds up all others when it is the first, and everybody says so until it is there", async () => {
    const { src } = own;
    const first = new NamespaceView(own.destination, `first-${own.id}`);
    const file = {
      routes: [
        { name: "first", namespaces: [src.namespace], target: { namespace: first.namespace } },
        { name: "rest", namespaces: [src.namespace], target: { namespace: own.dst.namespace } },
      ].map((route) => ({ ...route, selector: `to=${route.name}` })),
    };
    await src.apply(service(src.namespace, "blocked", { labels: { to: "rest" } }));
    const asked = [
      ...["--src-context=source", "--dst-context=destination", "--config=ferry.yaml"],
      ...[`--kubeconfig=${own.kubeconfigPath}`, `--leader-election-namespace=${src.namespace}`],
      "--leader-election-name=ferry",
    ];

    const run = await own.launch({ file });
    const { message } = await run.untilState(
      `${src.namespace}/blocked`,
      "refused",
      "namespace-missing",
    );
    const [line] = run.logged("lease cannot be used, trying again");
    const told = await src.untilEvent("blocked", /^Refused: namespace-missing: /);
    const explained = await runTool(
      ["explain", `${src.namespace}/blocked`, ...asked],
      stringify(file),
    );
    const checked = await runTool(["doctor", "--only=dst-ns", ...asked], stringify(file));
    await own.destination.createNamespace(first.namespace);
    await own.grant({ file });

    await own.dst.untilService("blocked", () => true, 40_000);
    await run.untilState(`${src.namespace}/blocked`, "synced");
    const missing = `namespace ${first.namespace} does not exist`;
    expect(message).toContain(missing);
    expect(told).toContain(missing);
    expect(line).toMatchObject({ fix: `create the namespace ${first.namespace}` });
    const create = `kubectl --context destination create namespace ${first.namespace}`;
    for (const { code, out } of [explained, checked]) {
      expect(code).toBe(1);
      expect(out).toContain(missing);
      expect(out).toContain(create);
    }
    await own.stopRuns();
    await own.destination.remove("Namespace", undefined, first.namespace);
  });
});

function isAbout(record: object, name: string): boolean {
  return JSON.stringify(record).includes(`/${name}"`);
}

function isRefusedCreate(write: string): boolean {
  return write === "create services late → 403";
}
