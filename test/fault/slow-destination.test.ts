import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HttpAction, HttpRule } from "../harness/http-action.js";
import type { HttpFaultProxy } from "../harness/http-fault-proxy.js";
import { waitFor } from "../harness/wait-for.js";
import { stored } from "./audit-log.js";
import { type Bed, startBed } from "./bed.js";
import { type Lane, serviceWrites } from "./lane.js";
import type { RoutesFile } from "./lane-options.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

/** Fewer than connections: with a latency of 5 s every round more is 5 s more. */
const SERVICES = 12;

/** Every Service to two destinations: one behind a proxy, in the lane's namespace, the other reached directly. */
interface TwoDestinations {
  readonly lane: Lane;
  readonly proxy: HttpFaultProxy;
  readonly fast: string;
}

async function twoDestinations(name: string): Promise<TwoDestinations> {
  const proxy = await bed.httpProxy(bed.destination);
  const fast = `${name}-fast`;
  const lane = await bed.lane(name, {
    destinationWay: { server: proxy.url, ca: proxy.ca },
    contexts: [{ context: "fast", controlPlane: bed.destination }],
  });
  await lane.to.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: fast } });
  const config: RoutesFile = {
    destinations: [{ name: "slow", context: "destination" }, { context: "fast" }],
    routes: [
      { name: "slow", destination: "slow", namespaces: [name], target: { namespace: name } },
      { name: "fast", destination: "fast", namespaces: [name], target: { namespace: fast } },
    ],
  };
  const replica = lane.start({ config });
  await replica.leads();
  await waitFor(
    async () =>
      (await replica.status()).destinations.every(({ heartbeat }) => heartbeat === "held"),
    { what: "both destinations" },
  );
  return { lane, proxy, fast };
}

/** Resolves when the fast destination has all; says how many the slow one has then. */
async function slowWhenFastIsDone({ lane, fast }: TwoDestinations): Promise<number> {
  const count = async (namespace: string): Promise<number> =>
    (await lane.to.list("Service", namespace, "svc-ferry.io/link")).length;
  await waitFor(async () => (await count(fast)) === SERVICES, { what: "the fast destination" });
  return count(lane.name);
}

const isWrite = (method: string): boolean => method !== "GET";

describe("of two destinations", () => {
  it("the one that answers after 5 s does not slow the other", async () => {
    const two = await twoDestinations("latency");
    two.proxy.setRule(({ path }) =>
      isLease(path) ? undefined : { kind: "delay", delayMs: 5_000 },
    );

    await two.lane.putMany(SERVICES);
    const slow = await slowWhenFastIsDone(two);
    await two.lane.converged(60_000);

    expect(slow).toBe(0);
    expect(serviceWrites(two.lane.writes())).toHaveLength(SERVICES);
  });

  it("the one that asks for patience gets it, and does not slow the other", async () => {
    const two = await twoDestinations("patience");
    const refuse: HttpRule = ({ method, path }) =>
      isWrite(method) && !isLease(path) ? TOO_MANY : undefined;
    two.proxy.setRule(refuse);

    await two.lane.putMany(SERVICES);
    const slow = await slowWhenFastIsDone(two);
    const attempts = (): number =>
      two.proxy.count(({ method, path }) => isWrite(method) && !isLease(path));
    await waitFor(() => attempts() >= 2 * SERVICES, { what: "a second round of attempts" });
    const tooEarly = attempts() > 3 * SERVICES;
    two.proxy.setRule();
    await two.lane.converged();

    expect({ slow, tooEarly }).toEqual({ slow: 0, tooEarly: false });
    expect(two.lane.attempts().filter(({ status }) => status >= 300)).toEqual([]);
  });

  it("the one that fails 30 % of all requests converges, and does not slow the other", async () => {
    const two = await twoDestinations("failing");
    two.proxy.setRule(every(FAILED, (number) => number % 10 < 3));

    await two.lane.putMany(SERVICES);
    await slowWhenFastIsDone(two);
    await two.lane.converged(60_000);

    expect(serviceWrites(two.lane.writes())).toHaveLength(SERVICES);
  });

  it("the one that loses answers gets nothing twice", async () => {
    const two = await twoDestinations("losing");
    two.proxy.setRule((request) =>
      isWrite(request.method) && !isLease(request.path) ? losing(request) : undefined,
    );
    const losing = every({ kind: "lose-answer" }, (number) => number % 3 === 0);

    await two.lane.putMany(SERVICES);
    await two.lane.converged(60_000);

    const writes = stored(two.lane.attempts()).map(({ verb, resource, name }) =>
      [verb, resource, name].join(" "),
    );
    expect(writes).toHaveLength(new Set(writes).size);
  });
});

describe("one poison Service", () => {
  it("whose create fails for ever does not delay the rest, and is made when it can be", async () => {
    const proxy = await bed.httpProxy(bed.destination);
    const lane = await bed.lane("poison", { destinationWay: { server: proxy.url, ca: proxy.ca } });
    await lane.to.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "poisoned" } });
    const target = { namespace: lane.name };
    const routes = [
      { name: "all", namespaces: [lane.name], target, targets: { namespaces: ["poisoned"] } },
    ];
    const isPoison = (path: string): boolean => path.endsWith("/namespaces/poisoned/services");
    proxy.setRule(({ method, path }) => (method === "POST" && isPoison(path) ? FAILED : undefined));
    const replica = lane.start({ config: { destinations: [{ context: "destination" }], routes } });
    await replica.leads();

    await lane.put("poison", "10.2.0.1", {
      annotations: { "svc-ferry.io/target-namespace": "poisoned" },
    });
    await waitFor(() => proxy.count(({ path }) => isPoison(path)) > 1, {
      what: "the first failures",
    });
    await lane.putMany(50);
    await waitFor(async () => (await lane.mirrors()).length === 50, { what: "the other 50" });
    const whileOthers = proxy.count(({ method, path }) => method === "POST" && isPoison(path));
    const state = (await replica.status()).services.find(({ service }) =>
      service.endsWith("/poison"),
    );
    proxy.setRule();
    await waitFor(async () => lane.to.get("Service", "poisoned", "poison"), { what: "its mirror" });
    await lane.settled();

    expect(state).toMatchObject({ state: "retrying" });
    expect(whileOthers).toBeLessThan(20);
    expect(serviceWrites(lane.writes())).toHaveLength(50);
  });
});

const FAILED: HttpAction = {
  kind: "respond",
  status: 500,
  body: { kind: "Status", status: "Failure", code: 500, reason: "InternalError", message: "no" },
};

const TOO_MANY: HttpAction = {
  kind: "respond",
  status: 429,
  headers: { "retry-after": "2" },
  body: {
    kind: "Status",
    status: "Failure",
    code: 429,
    reason: "TooManyRequests",
    message: "wait",
  },
};

/** The action for those requests, counted from 0, of which `hit` says so. */
function every(action: HttpAction, hit: (number: number) => boolean): HttpRule {
  let number = 0;
  return () => (hit(number++) ? action : undefined);
}

/** The Lease of the link: without it nothing is written at all, which is another subject. */
function isLease(path: string): boolean {
  return path.includes("/leases");
}
