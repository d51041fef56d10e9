import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
  const endpoints = ["10.1.0.1", { addresses: ["10.1.0.2"], conditions: { ready: false } }];
  await bed.src.apply(
    slice(bed.src.namespace, "web", endpoints),
    service(bed.src.namespace, "web"),
  );
  await bed.dst.untilEndpoints("web", ["10.1.0.1"]);
  await bed.settle(ferry);
});
afterAll(async () => bed.close());

describe("the admin port", () => {
  it("answers /health, /ready and /leader as k8s-svc-sync does", async () => {
    expect(await ferry.get("/health")).toEqual({ status: 200, text: "ok" });
    expect(await ferry.get("/ready")).toEqual({ status: 200, text: "ok" });
    expect(await ferry.get("/leader")).toEqual({ status: 200, text: `Leader: ${ferry.podName}` });
  });

  it("tells everything about each Service in /status", async () => {
    const report = await ferry.status();

    expect(report).toMatchObject({
      apiVersion: "svc-ferry.io/cli/v1",
      kind: "StatusReport",
      podName: ferry.podName,
      role: "leader",
      leader: ferry.podName,
      observed: true,
      link: expect.stringMatching(`^${bed.src.namespace}\\.ferry\\.`),
      source: { name: "source", connected: true, lastContact: expect.stringMatching(RFC3339) },
      destinations: [
        {
          name: "destination",
          connected: true,
          paused: false,
          heartbeat: "held",
          brake: false,
          mirrors: 2,
          queued: 0,
        },
      ],
    });
    const web = report.services.find((one) => one.service === `${bed.src.namespace}/web`);
    expect(web).toEqual({
      service: `${bed.src.namespace}/web`,
      destination: "destination",
      target: `${bed.dst.namespace}/web`,
      state: "synced",
      endpoints: { ready: 1, total: 2, slices: 1 },
      lastChange: expect.stringMatching(RFC3339),
      lastWrite: expect.stringMatching(RFC3339),
      lagMs: expect.any(Number),
    });
  });

  it("shows the numbers of what was written", async () => {
    const destination = "destination";
    const creation = { destination, resource: "services", verb: "create", outcome: "done" };

    expect(await ferry.metric("svc_ferry_leader")).toBe(1);
    expect(await ferry.metric("svc_ferry_mirrors", { destination })).toBe(2);
    expect(await ferry.metric("svc_ferry_writes_total", creation)).toBe(2);
    expect(await ferry.metric("svc_ferry_services", { destination, state: "synced" })).toBe(2);
    expect(await ferry.metric("svc_ferry_services", { destination, state: "refused" })).toBe(0);
  });

  it("says of a follower that it follows whom, and claims nothing about Services", async () => {
    const follower = await bed.launch();
    const report = await waitFor(
      async () => {
        const seen = await follower.status();
        return seen.leader !== undefined && seen;
      },
      { what: "the follower to see the leader" },
    );

    expect(report).toMatchObject({ role: "follower", leader: ferry.podName, observed: false });
    expect(report.services).toEqual([]);
    expect((await follower.get("/leader")).text).toBe("Follower");
    await waitFor(async () => (await follower.get("/ready")).status === 200, { what: "/ready" });
    expect(await bed.writes(follower)).toEqual([]);
    await follower.stop();
  });
});

describe("Events", () => {
  it("say Synced once, however often the Service changes", async () => {
    for (const port of [81, 82, 83]) {
      await bed.src.apply(service(bed.src.namespace, "web", { spec: { ports: [{ port }] } }));
      await bed.settle(ferry);
    }

    const synced = (await bed.src.events("web")).filter((event) => event.startsWith("Synced"));
    expect(synced).toEqual([`Synced: mirrored to destination/${bed.dst.namespace}/web`]);
  });

  it("stay within 25 about a Service whose reason changes all the time", async () => {
    const { namespace } = bed.src;
    const wish = (count: number): object => ({
      metadata: { annotations: { "svc-ferry.io/target-namespace": `nowhere-${count}` } },
    });
    await bed.src.apply(service(namespace, "noisy"));
    await bed.dst.untilService("noisy");

    for (let count = 1; count <= 40; count += 1) {
      await bed.src.patch("Service", "noisy", wish(count));
      await waitFor(
        async () => {
          const { services } = await ferry.status();
          return services.some(({ target }) => target === `nowhere-${count}/noisy`);
        },
        { what: `the ${count}th refusal`, everyMs: 1 },
      );
    }
    await waitFor(
      async () =>
        /^svc_ferry_events_total\{outcome="filtered"\} \d+$/m.test(
          (await ferry.get("/metrics")).text,
        ),
      { what: "filtered Events" },
    );
    await bed.settle(ferry);

    // What passed the filter is written, one after the other.
    const events = await waitFor(
      async () => {
        const found = await bed.src.events("noisy");
        return found.length > 10 && found;
      },
      { what: "more than 10 Events" },
    );
    expect(events.length).toBeLessThanOrEqual(25);
  });
});

describe("a stop", () => {
  it("gives both Leases back and ends well", async () => {
    const lease = async (): Promise<unknown> => (await bed.src.get("Lease", "ferry"))?.["spec"];
    expect(await lease()).toMatchObject({ holderIdentity: ferry.podName });

    const code = await ferry.stop();

    expect(code).toBe(0);
    expect(await lease()).not.toHaveProperty("holderIdentity", ferry.podName);
    const leases = await bed.dst.cluster.list("Lease", bed.dst.namespace);
    expect(
      leases.map(({ spec }) => (spec as { holderIdentity?: string }).holderIdentity ?? ""),
    ).toEqual([""]);
  });
});
