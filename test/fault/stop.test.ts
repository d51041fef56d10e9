import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../harness/wait-for.js";
import { type Bed, startBed } from "./bed.js";
import type { Lane } from "./lane.js";
import { LONG_LEASE } from "./lane-options.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

const SERVICES = 200;

async function holders(lane: Lane): Promise<readonly unknown[]> {
  const leases = [
    await lane.from.get("Lease", "k8s-sync", lane.name),
    ...(await lane.to.list("Lease", lane.name)),
  ];
  return leases.map((lease) => {
    const spec = lease?.["spec"] as { readonly holderIdentity?: string } | undefined;
    return spec?.holderIdentity;
  });
}

interface Silencable {
  readonly lane: Lane;
  /** Neither cluster answers any more, and no connection ends. */
  goSilent(): void;
  /** Accepted so far. */
  connections(): number;
}

async function silencable(name: string): Promise<Silencable> {
  const source = await bed.tcpProxy(bed.source);
  const destination = await bed.tcpProxy(bed.destination);
  const lane = await bed.lane(name, {
    sourceWay: { server: source.url },
    destinationWay: { server: destination.url },
  });
  return {
    lane,
    goSilent: () => [source, destination].forEach((proxy) => proxy.blackhole()),
    connections: () => source.accepted + destination.accepted,
  };
}

describe("SIGTERM", () => {
  it("under load finishes what is under way, gives both Leases back and ends with 0 in less than 5 s", async () => {
    const proxy = await bed.httpProxy(bed.destination);
    const lane = await bed.lane("load", { destinationWay: { server: proxy.url, ca: proxy.ca } });
    proxy.setRule(({ method, path }) =>
      method !== "GET" && !path.includes("/leases") ? { kind: "delay", delayMs: 400 } : undefined,
    );
    const sent = (): number =>
      proxy.count(({ method, path }) => method !== "GET" && !path.includes("/leases"));
    const replica = lane.start();
    await replica.leads();
    await lane.putMany(SERVICES);
    await waitFor(() => lane.writes().length > 30, { what: "the first mirrors" });

    const beganMs = performance.now();
    const exit = await replica.stop();
    const tookMs = performance.now() - beganMs;
    await lane.settled();

    expect(exit).toEqual({ code: 0, signal: undefined });
    expect(tookMs).toBeLessThan(5_000);
    expect(await holders(lane)).toEqual(["", ""]);
    expect(lane.attempts()).toHaveLength(sent());
    expect(lane.attempts().filter(({ status }) => status >= 300)).toEqual([]);
    expect((await lane.mirrors()).length).toBeLessThan(SERVICES);
  });

  it("leaves a state from which the next one goes on without a needless write", async () => {
    const lane = await bed.lane("next");
    const first = lane.start({ pod: "first", flags: ["--max-connections=2"] });
    await first.leads();
    await lane.putMany(SERVICES);
    await waitFor(() => lane.writes().length > 30, { what: "the first mirrors" });

    await first.stop();
    const done = (await lane.mirrors()).length;
    lane.start({ pod: "second" });
    await lane.converged();

    expect(done).toBeLessThan(SERVICES);
    const writes = lane
      .writes()
      .map(({ verb, resource, name }) => [verb, resource, name].join(" "));
    expect(writes).toHaveLength(3 * SERVICES);
    expect(new Set(writes).size).toBe(3 * SERVICES);
    expect(lane.attempts().filter(({ status }) => status >= 300)).toEqual([]);
  });

  it("ends with 0 in less than 5 s also when neither cluster answers any more", async () => {
    const { lane, goSilent } = await silencable("mute");
    const replica = lane.start({ flags: LONG_LEASE });
    await lane.putMany(3);
    await lane.converged();
    await lane.put("web-0", "10.1.0.1", { port: 81 });
    goSilent();

    const beganMs = performance.now();
    const exit = await replica.stop();
    const tookMs = performance.now() - beganMs;

    expect(exit).toEqual({ code: 0, signal: undefined });
    expect(tookMs).toBeLessThan(5_000);
  });

  it("ends with 0 in less than 5 s also while connections are opened that nobody answers", async () => {
    const { lane, goSilent, connections } = await silencable("opening");
    const replica = lane.start();
    await lane.putMany(3);
    await lane.converged();
    goSilent();
    const before = connections();
    await waitFor(() => connections() > before + 1, { what: "new connections" });

    const beganMs = performance.now();
    const exit = await replica.stop();
    const tookMs = performance.now() - beganMs;

    expect(exit).toEqual({ code: 0, signal: undefined });
    expect(tookMs).toBeLessThan(5_000);
  });

  it("for the second time ends it at once", async () => {
    const { lane, goSilent } = await silencable("twice");
    const replica = lane.start({ flags: LONG_LEASE });
    await lane.putMany(3);
    await lane.converged();
    goSilent();

    replica.process.signal("SIGTERM");
    await waitFor(async () => (await replica.status()).role === "follower", { what: "its stop" });
    replica.process.signal("SIGTERM");

    await expect(replica.process.exit).resolves.toEqual({ code: 143, signal: undefined });
  });
});
