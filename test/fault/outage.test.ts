import { join } from "node:path";
import { setTimeout as lasts } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { OUTAGE_MS } from "./bed.js";
import { compact } from "./etcd.js";
import { serviceWrites } from "./lane.js";
import { type OwnBed, startOwnBed } from "./own-bed.js";

let bed: OwnBed;

beforeAll(async () => {
  bed = await startOwnBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

describe("an outage", () => {
  it("of the source's API server leaves everything as it is, and work goes on afterwards", async () => {
    const lane = await bed.lane("source-down");
    await lane.putMany(5);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    await bed.source.stopApiServer("crash");
    await lasts(OUTAGE_MS);
    await bed.source.startApiServer();
    await lane.put("after", "10.2.0.1");
    await lane.converged(60_000);

    expect(lane.attempts().length).toBe(before + 3);
    expect(serviceWrites(lane.writes(before))).toEqual(["create services/after"]);
  });

  it("of the destination's API server delays what happened meanwhile and loses nothing", async () => {
    const lane = await bed.lane("destination-down");
    await lane.putMany(5);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    await bed.destination.stopApiServer("crash");
    await lane.remove("web-0");
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.put("late", "10.2.0.1");
    await lasts(OUTAGE_MS);
    await bed.destination.startApiServer();
    await lane.converged(60_000);

    expect(serviceWrites(lane.writes(before))).toEqual([
      "create services/late",
      "delete services/web-0",
      "patch services/web-1",
    ]);
  });

  it("of both at once changes nothing", async () => {
    const lane = await bed.lane("both-down");
    await lane.putMany(5);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    await Promise.all([bed.source.stopApiServer("crash"), bed.destination.stopApiServer("crash")]);
    await lasts(OUTAGE_MS);
    await Promise.all([bed.source.startApiServer(), bed.destination.startApiServer()]);
    await lane.put("after", "10.2.0.1");
    await lane.converged(60_000);

    expect(lane.attempts().length).toBe(before + 3);
    expect(serviceWrites(lane.writes(before))).toEqual(["create services/after"]);
  });

  it("of the destination while svc-ferry starts does not keep it from starting", async () => {
    const lane = await bed.lane("late-destination");
    await lane.putMany(2);
    await bed.destination.stopApiServer("crash");

    const replica = lane.start();
    await replica.leads();
    await bed.destination.startApiServer();
    await lane.converged(60_000);

    expect(serviceWrites(lane.writes())).toEqual([
      "create services/web-0",
      "create services/web-1",
    ]);
  });
});

describe("a watch of the source", () => {
  it("goes on with a list when its version was compacted away, and misses neither changes nor deletions", async () => {
    const proxy = await bed.tcpProxy(bed.source);
    const lane = await bed.lane("compacted", { sourceWay: { server: proxy.url } });
    await lane.putMany(3);
    lane.start();
    await lane.converged();
    const before = lane.writes().length;

    proxy.refuse();
    proxy.cut();
    await lane.remove("web-0");
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.put("late", "10.2.0.1");
    await compact(bed.source);
    await bed.source.stopApiServer("crash");
    await bed.source.startApiServer(); // its watch cache begins with what etcd still has
    proxy.pass();
    await lane.converged();

    expect(serviceWrites(lane.writes(before))).toEqual([
      "create services/late",
      "delete services/web-0",
      "patch services/web-1",
    ]);
  });
});

describe("an older snapshot", () => {
  it("in the source's etcd: what it does not have goes, what it has again comes back, all else stays", async () => {
    const lane = await bed.lane("source-restored");
    const snapshot = join(bed.source.dataDir, "source-restored.db");
    await lane.putMany(4);
    lane.start();
    await lane.converged();
    await bed.source.snapshotEtcd(snapshot);
    await lane.put("young", "10.2.0.1");
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.remove("web-2");
    await lane.converged();
    const before = lane.writes().length;

    await bed.source.restoreEtcd(snapshot);
    await lane.converged(60_000);

    expect(serviceWrites(lane.writes(before))).toEqual([
      "create services/web-2",
      "delete services/young",
      "patch services/web-1",
    ]);
  });

  it("in the destination's etcd: everything is made as the source has it", async () => {
    const lane = await bed.lane("destination-restored");
    const snapshot = join(bed.destination.dataDir, "destination-restored.db");
    await lane.putMany(4);
    lane.start();
    await lane.converged();
    await bed.destination.snapshotEtcd(snapshot);
    await lane.put("young", "10.2.0.1");
    await lane.put("web-1", "10.1.0.2", { port: 81 });
    await lane.remove("web-2");
    await lane.converged();
    const before = lane.writes().length;

    await bed.destination.restoreEtcd(snapshot);
    await lane.converged(60_000);

    expect(serviceWrites(lane.writes(before))).toEqual([
      "create services/young",
      "delete services/web-2",
      "patch services/web-1",
    ]);
  });
});
