import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import type { NamespaceView } from "../../harness/namespace-view.js";

/** Three ways in which two clusters may say what travels, the same in both directions. */
const SELECTORS = [
  { what: "equality", selector: "sync=true", labels: { sync: "true" }, mark: {} },
  { what: "exists", selector: "ferry", labels: { ferry: "" }, mark: { markLabel: "mirror=yes" } },
  {
    what: "a set",
    selector: "stage in (prod,test),!private",
    labels: { stage: "prod" },
    mark: { markLabel: "mirror=yes" },
  },
  {
    what: "nothing but an exclusion",
    selector: "private!=true",
    labels: {},
    mark: { markLabel: "mirror=yes" },
  },
] as const;

let bed: FerryBed;

beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed.close());

interface Pair {
  readonly a: NamespaceView;
  readonly b: NamespaceView;
  readonly there: FerryRun;
  readonly back: FerryRun;
}

/** Namespace a in the source and b in the destination, synced to each other by two installations. */
async function pair({ selector, mark }: (typeof SELECTORS)[number]): Promise<Pair> {
  const a = await bed.namespace("source");
  const b = await bed.namespace("destination");
  const route = (from: NamespaceView, to: NamespaceView): object => ({
    name: "both-ways",
    namespaces: [from.namespace],
    selector,
    ...mark,
    target: { namespace: to.namespace },
  });
  const there = await bed.run({
    flags: { leaderElectionNamespace: a.namespace },
    file: { routes: [route(a, b)] },
  });
  const back = await bed.run({
    flags: { srcContext: "destination", leaderElectionNamespace: b.namespace },
    file: {
      destinations: [{ name: "source", context: "source" }],
      routes: [route(b, a)],
    },
  });
  return { a, b, there, back };
}

/** Both have nothing left to do: a Service of each has gone to the other side and been changed there. */
async function settle({ a, b, there, back }: Pair, labels: object): Promise<void> {
  const probe = bed.name("probe");
  await a.apply(service(a.namespace, `${probe}-a`, { labels: { ...labels } }));
  await b.apply(service(b.namespace, `${probe}-b`, { labels: { ...labels } }));
  await b.untilService(`${probe}-a`);
  await a.untilService(`${probe}-b`);
  await a.remove("Service", `${probe}-a`);
  await b.remove("Service", `${probe}-b`);
  await b.untilGone("Service", `${probe}-a`);
  await a.untilGone("Service", `${probe}-b`);
  await there.untilIdle();
  await back.untilIdle();
}

function created(name: string): readonly string[] {
  return [`create services ${name}`, `create endpointslices ${name}-*`, `create endpoints ${name}`];
}

async function written(run: FerryRun, side: "source" | "destination"): Promise<readonly string[]> {
  return (await bed.writes(run, { side })).filter((write) => !write.includes("probe-"));
}

afterEach(async () => bed.stopRuns());

describe("two clusters that sync each other", () => {
  it.each(SELECTORS)("by $what write each Service once, over there", async (kind) => {
    const both = await pair(kind);
    const { a, b, there, back } = both;
    await bed.forgetWrites();

    await a.apply(
      slice(a.namespace, "from-a", ["10.1.0.1"]),
      service(a.namespace, "from-a", { labels: kind.labels }),
    );
    await b.apply(
      slice(b.namespace, "from-b", ["10.1.0.2"]),
      service(b.namespace, "from-b", { labels: kind.labels }),
    );
    await b.untilEndpoints("from-a", ["10.1.0.1"]);
    await a.untilEndpoints("from-b", ["10.1.0.2"]);
    await settle(both, kind.labels);

    expect(await written(there, "destination")).toEqual(created("from-a"));
    expect(await written(back, "source")).toEqual(created("from-b"));
    expect(await written(there, "source")).toEqual([]);
    expect(await written(back, "destination")).toEqual([]);
    expect(await a.events("from-b")).toEqual([]);
  });

  it("do not send a mirror back that a person labels, and say why in an Event", async () => {
    const [kind] = SELECTORS;
    const both = await pair({ ...kind, mark: { markLabel: "mirror=yes" } } as never);
    const { a, b, there, back } = both;
    await a.apply(
      slice(a.namespace, "web", ["10.1.0.1"]),
      service(a.namespace, "web", { labels: kind.labels }),
    );
    await b.untilEndpoints("web", ["10.1.0.1"]);
    await settle(both, kind.labels);
    await bed.forgetWrites();

    await b.patch("Service", "web", { metadata: { labels: { sync: "true", mirror: null } } });
    await b.untilService("web", ({ metadata }) => metadata.labels?.["mirror"] === "yes");
    await settle(both, kind.labels);

    expect(await written(there, "destination")).toEqual(["patch services web"]);
    expect(await written(back, "source")).toEqual([]);
    await b.untilEvent("web", /^Refused: is-a-mirror: /);
  });
});

describe("source and destination in one cluster", () => {
  it("never mirror what lies where they write, whatever its labels", async () => {
    const from = await bed.namespace("source");
    const to = await bed.namespace("source");
    const run = await bed.run({
      flags: { leaderElectionNamespace: from.namespace },
      file: {
        destinations: [{ name: "here", context: "source" }],
        routes: [
          {
            name: "inside",
            namespaces: [from.namespace, to.namespace],
            target: { namespace: to.namespace, name: "copy-{name}" },
          },
        ],
      },
    });
    await bed.forgetWrites();

    await from.apply(service(from.namespace, "web"));
    await to.apply(service(to.namespace, "local"));
    await to.untilService("copy-web");
    await to.untilEvent("local", /^Refused: is-a-mirror: it lies in /);
    await run.untilIdle();

    expect(await bed.writes(run, { side: "source" })).toEqual(["create services copy-web"]);
  });
});
