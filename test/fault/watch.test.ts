import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HttpRule, ProxiedRequest } from "../harness/http-action.js";
import { waitFor } from "../harness/wait-for.js";
import { summary } from "./audit-log.js";
import { addressOf, type Bed, startBed } from "./bed.js";
import { compact } from "./etcd.js";
import type { Lane } from "./lane.js";

let bed: Bed;

beforeAll(async () => {
  bed = await startBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

/** What a Service of the bed costs when it appears: one write per object. */
const creation = (name: string): readonly string[] => [
  `create endpoints/${name}`,
  `create endpointslices/${name}`,
  `create services/${name}`,
];

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

    expect(ofServices(lane, before)).toEqual([
      ...creation("late"),
      "delete endpoints/web-0",
      "delete endpointslices/web-0",
      "delete services/web-0",
      "patch services/web-1",
    ].sort());
  });

  it("survives ERROR events of every kind", async () => {
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

    expect(ofServices(lane).filter((write) => write.includes("services/"))).toEqual([
      "create services/web-0",
      "create services/web-1",
      "create services/web-2",
      "delete services/web-1",
      "patch services/web-0",
    ]);
  });
});

function errorEvent(code: number, reason: string): string {
  const object = { kind: "Status", apiVersion: "v1", status: "Failure", message: "test", reason, code };
  return JSON.stringify({ type: "ERROR", object });
}

/** Summary with slices by the name of their Service. */
function ofServices(lane: Lane, after = 0): readonly string[] {
  return summary(lane.writes(after)).map((line) => line.replace(/(endpointslices\/.*)-[0-9a-f]{20}$/, "$1"));
}
