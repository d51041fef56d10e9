import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { portsOf } from "../../harness/namespace-view.js";

const PAUSED = "svc-ferry.io/paused";

let bed: FerryBed;
let name = "";

beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed.close());
beforeEach(() => {
  name = bed.name("web");
});
afterEach(async () => bed.stopRuns());

async function start(paused: { route?: boolean; destination?: boolean } = {}): Promise<FerryRun> {
  return bed.run({
    file: {
      destinations: [
        { name: "there", context: "destination", paused: paused.destination === true },
      ],
      routes: [
        {
          name: "shop",
          namespaces: [bed.src.namespace],
          target: { namespace: bed.dst.namespace },
          paused: paused.route === true,
        },
      ],
    },
  });
}

async function mirrored(): Promise<FerryRun> {
  const ferry = await start();
  await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.1"]));
  await bed.src.apply(service(bed.src.namespace, name));
  await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
  await bed.settle(ferry);
  await bed.forgetWrites();
  return ferry;
}

/** Everything that would be written if nothing were paused. */
async function changeEverything(): Promise<void> {
  await bed.src.patch("Service", name, { spec: { ports: [{ port: 81 }] } });
  await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.2"]));
  await bed.dst.patch("Service", name, { spec: { sessionAffinity: "ClientIP" } });
  await bed.dst.remove("Endpoints", name);
}

async function untilCaughtUp(): Promise<void> {
  await bed.dst.untilService(name, (mirror) => portsOf(mirror)[0] === 81);
  await bed.dst.untilAddresses(name, ["10.1.0.2"]);
  await bed.dst.untilEndpoints(name, ["10.1.0.2"]);
}

describe("a pause", () => {
  it("of the source Service holds everything about it, and all is caught up afterwards", async () => {
    const ferry = await mirrored();
    await bed.src.patch("Service", name, { metadata: { annotations: { [PAUSED]: "true" } } });
    await ferry.untilState(`${bed.src.namespace}/${name}`, "paused", "paused");

    await changeEverything();
    await bed.settle(ferry);
    const meanwhile = await bed.writes(ferry);
    await bed.src.patch("Service", name, { metadata: { annotations: { [PAUSED]: null } } });

    expect(meanwhile).toEqual([]);
    await untilCaughtUp();
    await bed.src.untilEvent(name, /^Paused: .*the source Service is paused/);
  });

  it("of the mirror holds it, its deletion included", async () => {
    const ferry = await mirrored();
    await bed.dst.patch("Service", name, { metadata: { annotations: { [PAUSED]: "true" } } });
    await ferry.untilState(`${bed.src.namespace}/${name}`, "paused", "paused");

    await changeEverything();
    await bed.settle(ferry);
    await bed.src.patch("Service", name, { metadata: { labels: { sync: null } } });
    await bed.settle(ferry);
    const meanwhile = await bed.writes(ferry);
    await bed.dst.patch("Service", name, { metadata: { annotations: { [PAUSED]: null } } });

    expect(meanwhile).toEqual([]);
    await bed.dst.untilGone("Service", name);
  });

  it("of the source Service holds the name against others", async () => {
    const ferry = await mirrored();
    await bed.src.patch("Service", name, { metadata: { annotations: { [PAUSED]: "true" } } });
    await ferry.untilState(`${bed.src.namespace}/${name}`, "paused");

    const annotations = { "svc-ferry.io/target-name": name };
    await bed.src.apply(service(bed.src.namespace, `${name}-b`, { annotations }));
    await ferry.untilState(`${bed.src.namespace}/${name}-b`, "conflict", "name-taken");
    await bed.settle(ferry);

    expect(await bed.writes(ferry)).toEqual([]);
  });

  it.each([
    ["route", "route shop"],
    ["destination", "the destination"],
  ] as const)("of the %s holds all of its mirrors, and says so", async (what, who) => {
    await (await mirrored()).stop();
    await changeEverything();
    await bed.src.apply(service(bed.src.namespace, `${name}-new`));

    const paused = await start({ [what]: true });
    await paused.untilState(`${bed.src.namespace}/${name}`, "paused", "paused");
    const state = await paused.untilState(`${bed.src.namespace}/${name}-new`, "paused", "paused");
    await paused.untilIdle();
    const meanwhile = await bed.writes(paused);
    const counted = await paused.metric("svc_ferry_services", { state: "paused" });
    await paused.stop();
    await start();

    expect(state.message).toContain(who);
    expect(meanwhile).toEqual([]);
    expect(counted).toBeGreaterThanOrEqual(2);
    await untilCaughtUp();
    await bed.dst.untilService(`${name}-new`);
  });
});
