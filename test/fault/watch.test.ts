import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HttpRule } from "../harness/http-action.js";
import { waitFor } from "../harness/wait-for.js";
import { summary } from "./audit-log.js";
import { addressOf as serverOf, type Bed, FULL, startBed } from "./bed.js";
import { startInProcess } from "./in-process.js";
import { type Lane, serviceWrites } from "./lane.js";
import { LONG_LEASE } from "./lane-options.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

const onWatches =
  (action: ReturnType<HttpRule>): HttpRule =>
  ({ watch }) =>
    watch ? action : undefined;

describe("a watch of the source", () => {
  it("survives ERROR events and lines that are no events", async () => {
    const proxy = await bed.httpProxy(bed.source);
    const lane = await bed.lane("errors", { sourceWay: { server: proxy.url, ca: proxy.ca } });
    await lane.putMany(2);
    lane.start();
    await lane.converged();

    proxy.injectLine(errorEvent(410, "Expired"));
    await lane.put("web-0", "10.1.0.1", { port: 81 });
    await lane.converged();
    proxy.injectLine(errorEvent(500, "InternalError"));
    await lane.remove("web-1");
    await lane.converged();
    proxy.injectLine("this is no event");
    await lane.put("web-2", "10.1.0.3");
    await lane.converged();

    expect(serviceWrites(lane.writes())).toEqual([
      "create services/web-0",
      "create services/web-1",
      "create services/web-2",
      "delete services/web-1",
      "patch services/web-0",
    ]);
  });

  it("loses no event and writes nothing twice when every watch is closed after a second", async () => {
    const proxy = await bed.httpProxy(bed.source);
    const lane = await bed.lane("closed", { sourceWay: { server: proxy.url, ca: proxy.ca } });
    proxy.setRule(onWatches({ kind: "stream", endAfterMs: 1_000 }));
    const watches = (): number => proxy.count(({ watch }) => watch);
    await lane.putMany(5);
    lane.start();
    await lane.converged();

    let changes = 0;
    for (const enough = watches() + 8; watches() < enough; changes++) {
      await lane.put(`web-${changes % 5}`, `10.9.0.${1 + (changes % 200)}`, { port: 81 + changes });
    }
    await lane.converged();

    const patches = serviceWrites(lane.writes()).filter((write) => write.startsWith("patch"));
    expect(patches.length).toBeLessThanOrEqual(changes);
    expect(lane.attempts().filter(({ status }) => status >= 300)).toEqual([]);
  });

  it("puts characters together that arrive in pieces", async () => {
    const proxy = await bed.httpProxy(bed.source);
    const lane = await bed.lane("pieces", { sourceWay: { server: proxy.url, ca: proxy.ca } });
    const text = "Grüße aus dem Süden, 世界, 🚢".repeat(20);
    const target = { namespace: lane.name };
    const routes = [
      { name: "text", namespaces: [lane.name], target, copyAnnotations: ["example.com/text"] },
    ];
    proxy.setRule(onWatches({ kind: "stream", chunkBytes: 1 }));
    const replica = lane.start({ config: { destinations: [{ context: "destination" }], routes } });
    await replica.leads();

    await lane.put("web", "10.1.0.1", { annotations: { "example.com/text": text } });
    await lane.converged();

    const mirror = await lane.to.get("Service", lane.name, "web");
    expect(mirror?.metadata.annotations?.["example.com/text"]).toBe(text);
    expect(serviceWrites(lane.writes())).toEqual(["create services/web"]);
  });

  it("takes objects as big as etcd does, and writes each change once", async () => {
    const lane = await bed.lane("big");
    const replica = lane.start({ flags: LONG_LEASE });
    await replica.leads();

    await lane.put("web", "10.1.0.1", { annotations: { "example.com/big": "x".repeat(250_000) } });
    await putHugeSlice(lane, 0);
    await waitFor(async () => (await hugeAddress(lane)) === "10.0.0.0", HUGE);
    await putHugeSlice(lane, 1);
    await waitFor(async () => (await hugeAddress(lane)) === "10.0.0.1", HUGE);
    await lane.put("after", "10.1.0.2"); // its writes come after all others
    await waitFor(async () => (await lane.mirrors()).includes("after"), {
      what: "the mirror after",
    });

    await lane.settled();
    const ofWeb = lane.writes().filter(({ name }) => name.startsWith("web"));
    expect(summary(ofWeb.filter(({ resource }) => resource !== "endpoints"))).toEqual([
      expect.stringMatching(/^create endpointslices\/web-/),
      expect.stringMatching(/^create endpointslices\/web-/),
      "create services/web",
      expect.stringMatching(/^patch endpointslices\/web-/),
    ]);
  });
});

describe("half-open connections", () => {
  /** Two ways in one: connections that are open go silent for ever, new ones are well. */
  async function silence(): Promise<{ readonly server: string; begin(): void; end(): void }> {
    const old = await bed.tcpProxy(bed.source);
    const front = await bed.tcpProxy({ server: old.url });
    const begin = (): void => {
      front.retarget(serverOf(bed.source));
      old.blackhole();
    };
    return { server: front.url, begin, end: () => old.cut() };
  }

  async function changeSomething(lane: Lane): Promise<void> {
    await lane.remove("web-0");
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.put("late", "10.2.0.1");
  }

  const CHANGES = ["create services/late", "delete services/web-0", "patch services/web-1"];

  it("are found by their silence", async () => {
    const way = await silence();
    const lane = await bed.lane("silent", { sourceWay: { server: way.server } });
    await lane.putMany(3);
    const stop = startInProcess(lane.args(), 3_000);
    await lane.converged();
    const before = lane.writes().length;

    way.begin();
    await changeSomething(lane);
    await lane.converged(90_000);

    expect(serviceWrites(lane.writes(before))).toEqual(CHANGES);
    await expect(stop()).resolves.toBe(0);
  });

  it.runIf(FULL)("are found after 90 s by the process as it is shipped", async () => {
    const way = await silence();
    const lane = await bed.lane("silent-90", { sourceWay: { server: way.server } });
    await lane.putMany(3);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    way.begin();
    await changeSomething(lane);
    await lane.converged(180_000);

    expect(serviceWrites(lane.writes(before))).toEqual(CHANGES);
  });

  it("that break at last cost no event", async () => {
    const way = await silence();
    const lane = await bed.lane("broken", { sourceWay: { server: way.server } });
    await lane.putMany(3);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    way.begin();
    await changeSomething(lane);
    way.end();
    await lane.converged();

    expect(serviceWrites(lane.writes(before))).toEqual(CHANGES);
  });
});

function errorEvent(code: number, reason: string): string {
  const object = { kind: "Status", apiVersion: "v1", status: "Failure", message: "", reason, code };
  return JSON.stringify({ type: "ERROR", object });
}

/** 1,000 endpoints with 90 addresses each: 1.5 MB as JSON, 1.4 MB in etcd, which takes 1.5. */
async function putHugeSlice(lane: Lane, first: number): Promise<void> {
  const endpoints = Array.from({ length: 1_000 }, (_, x) => ({
    addresses: Array.from({ length: 90 }, (_, y) => {
      const number = x * 90 + y + first;
      return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    }),
    conditions: { ready: true },
  }));
  await lane.from.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace: lane.name,
      name: "huge",
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType: "IPv4",
    ports: [{ name: "main", port: 8080, protocol: "TCP" }],
    endpoints,
  });
}

/** Seldom looked at: each look costs the API server as much as a write does. */
const HUGE = { what: "the huge slice", timeoutMs: 60_000, everyMs: 500 };

/** The first address of the mirrored slice that holds so many. */
async function hugeAddress(lane: Lane): Promise<string | undefined> {
  const slices = await lane.to.list("EndpointSlice", lane.name);
  const lists = slices.map(({ ["endpoints"]: list }) => list as { addresses: string[] }[]);
  return lists.find((list) => list.length === 1_000)?.[0]?.addresses[0];
}
