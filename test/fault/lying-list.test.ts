import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HttpAction, HttpRule, ProxiedRequest } from "../harness/http-action.js";
import type { HttpFaultProxy } from "../harness/http-fault-proxy.js";
import { waitFor } from "../harness/wait-for.js";
import { summary } from "./audit-log.js";
import { type Bed, startBed } from "./bed.js";
import type { Lane } from "./lane.js";
import type { Replica } from "./replica.js";

let bed: Bed;
let proxy: HttpFaultProxy;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

/** More than one page of 500; no endpoints, these are not the subject. */
const SERVICES = 505;

async function crowd(name: string): Promise<Lane> {
  proxy = await bed.httpProxy(bed.source);
  const lane = await bed.lane(name, { sourceWay: { server: proxy.url, ca: proxy.ca } });
  const numbers = Array.from({ length: SERVICES }, (_, number) => number);
  await Promise.all(
    numbers.map(async (number) =>
      lane.from.create({
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace: name, name: `web-${number}`, labels: { sync: "true" } },
        spec: { ports: [{ name: "main", port: 80 }] },
      }),
    ),
  );
  lane.start();
  await lane.converged(60_000);
  return lane;
}

/** Faults in the answers to lists of that plural, pages of 500 as the product reads them. */
function onLists(plural: string, action: HttpRule): HttpRule {
  return (request) => {
    const list = request.method === "GET" && !request.watch && request.path.endsWith(`/${plural}`);
    return list && request.query.get("limit") !== "1" ? action(request) : undefined;
  };
}

/** Makes svc-ferry list again, and waits until it has done so that many times. */
async function relisted(plural: string, lists: number): Promise<void> {
  const listed = (): number =>
    proxy.count(
      ({ method, watch, path, query }) =>
        method === "GET" && !watch && path.endsWith(`/${plural}`) && query.get("limit") === "500",
    );
  const enough = listed() + lists;
  proxy.injectLine(
    JSON.stringify({
      type: "ERROR",
      object: { kind: "Status", status: "Failure", code: 410, reason: "Expired" },
    }),
    ({ path }) => path.endsWith(`/${plural}`),
  );
  await waitFor(() => listed() >= enough, { what: `${lists} lists`, timeoutMs: 30_000 });
}

const isSecondPage = ({ query }: ProxiedRequest): boolean => query.has("continue");

describe("a list of Services", () => {
  it("that is empty, or whose second page fails or is empty, proves nothing", async () => {
    const lane = await crowd("pages");
    const before = lane.attempts().length;
    const secondPage =
      (action: HttpAction): HttpRule =>
      (request) =>
        isSecondPage(request) ? action : undefined;

    proxy.setRule(onLists("services", () => ({ kind: "empty-list" })));
    await relisted("services", 2); // the second by itself: one of the mirrors it would cost was looked up
    proxy.setRule(onLists("services", secondPage({ kind: "respond", status: 500, body: "no" })));
    await relisted("services", 3);
    proxy.setRule(onLists("services", secondPage({ kind: "empty-list" })));
    await relisted("services", 4);
    proxy.setRule();
    await lane.put("after", "10.2.0.1");
    await lane.converged(60_000);

    expect(touched(lane, before)).toEqual(AFTER);
  });
});

describe("a list of slices", () => {
  it.each(["both", "endpoints", "slices"])(
    "that is empty takes no address away with --endpoints=%s",
    async (mode) => {
      proxy = await bed.httpProxy(bed.source);
      const sourceWay = { server: proxy.url, ca: proxy.ca };
      const lane = await bed.lane(`no-slices-${mode}`, { sourceWay });
      await lane.putMany(3);
      const replica = lane.start({ flags: [`--endpoints=${mode}`] });
      await allSynced(replica, 3);
      await lane.settled();
      const before = lane.attempts().length;

      proxy.setRule(onLists("endpointslices", () => ({ kind: "empty-list" })));
      await relisted("endpointslices", 3);
      proxy.setRule();
      await lane.put("after", "10.2.0.1");
      await allSynced(replica, 4);
      await lane.settled();

      expect(new Set(touched(lane, before).map((one) => one.replace(/.*\//, "")))).toEqual(
        new Set(["after"]),
      );
    },
  );
});

describe("a list of slices that lost its second page", () => {
  it("takes none of a Service's addresses out of its Endpoints where there are no mirror slices", async () => {
    proxy = await bed.httpProxy(bed.source);
    const sourceWay = { server: proxy.url, ca: proxy.ca };
    const lane = await bed.lane("half", { sourceWay });
    await lane.put("web", "10.1.0.1");
    const numbers = Array.from({ length: SERVICES }, (_, number) => number);
    await Promise.all(numbers.map(async (number) => slice(lane, number)));
    const replica = lane.start({ flags: ["--endpoints=endpoints"] });
    await ready(replica, SERVICES + 1);
    await lane.settled();
    const before = lane.attempts().length;

    proxy.setRule(
      onLists("endpointslices", (request) =>
        isSecondPage(request) ? { kind: "empty-list" } : undefined,
      ),
    );
    await relisted("endpointslices", 4); // the second pair by itself: a slice that it lacked was looked up
    proxy.setRule();
    await slice(lane, SERVICES);
    await ready(replica, SERVICES + 2);
    await lane.settled();

    expect(new Set(touched(lane, before))).toEqual(new Set(["patch endpoints/web"]));
    expect(lane.attempts().length - before).toBe(1);
  });

  async function slice(lane: Lane, number: number): Promise<void> {
    await lane.from.create({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        namespace: lane.name,
        name: `web-${number}`,
        labels: { "kubernetes.io/service-name": "web" },
      },
      addressType: "IPv4",
      ports: [{ name: "main", port: 8080, protocol: "TCP" }],
      endpoints: [
        {
          addresses: [`10.2.${Math.floor(number / 250)}.${1 + (number % 250)}`],
          conditions: { ready: true },
        },
      ],
    });
  }

  async function ready(replica: Replica, count: number): Promise<void> {
    const probe = async (): Promise<boolean> => {
      const { services } = await replica.status();
      return services.some(({ endpoints }) => endpoints?.ready === count);
    };
    await waitFor(probe, { what: `${count} addresses`, timeoutMs: 60_000 });
  }
});

/** What the Service "after" costs: nothing else may have been written. */
const AFTER = ["create endpoints/after", "create endpointslices/after", "create services/after"];

/** All writes since, refused ones too; slices by their Service. */
function touched(lane: Lane, before: number): readonly string[] {
  return summary(lane.attempts().slice(before)).map((one) => one.replace(/-[0-9a-f]{20}$/, ""));
}

/** Resolves when so many Services are synced, with their one address each, and nothing else waits. */
async function allSynced(replica: Replica, count: number): Promise<void> {
  const probe = async (): Promise<boolean> => {
    const { services } = await replica.status();
    const synced = services.filter(
      ({ state, endpoints }) => state === "synced" && endpoints?.ready === 1,
    );
    return synced.length === count && services.length === count;
  };
  await waitFor(probe, { what: `${count} synced Services` });
}
