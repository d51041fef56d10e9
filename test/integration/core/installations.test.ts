import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../controlplane/free-port.js";
import { writeKubeconfig } from "../../controlplane/kubeconfig.js";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service, slice } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: FerryBed;
let folder = "";

beforeAll(async () => {
  bed = await openBed();
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-installations-"));
});
afterAll(async () => {
  await bed.close();
  rmSync(folder, { recursive: true });
});

async function two(label: string, name: string): Promise<void> {
  const { namespace } = bed.src;
  await bed.src.apply(slice(namespace, name, ["10.1.0.1"]));
  await bed.src.apply(service(namespace, name, { labels: { [label]: "true" } }));
  await bed.dst.untilEndpoints(name, ["10.1.0.1"]);
}

afterEach(async () => bed.stopRuns());

describe("two installations that write into one namespace", () => {
  const flags = (label: string): Readonly<Record<string, string>> => ({
    syncLabel: `${label}=true`,
    leaderElectionName: label,
    sweepInterval: "100ms",
  });

  it("leave each other's mirrors alone, whichever of them starts, sweeps and leads anew", async () => {
    let red = await bed.run({ flags: flags("red") });
    let blue = await bed.run({ flags: flags("blue") });
    await two("red", "red-web");
    await two("blue", "blue-web");
    await bed.forgetWrites();

    await red.stop();
    await blue.stop();
    blue = await bed.run({ flags: flags("blue") });
    red = await bed.run({ flags: flags("red") });
    await untilSwept(red, 3);
    await untilSwept(blue, 3);

    expect(await bed.writes(red)).toEqual([]);
    expect(await bed.writes(blue)).toEqual([]);
  });

  it("do not take a name from each other, and the second is told who has it", async () => {
    const { namespace } = bed.src;
    const labels = { red: "true", blue: "true" };
    const red = await bed.run({ flags: flags("red") });
    await bed.src.apply(service(namespace, "wanted", { labels }));
    await bed.dst.untilService("wanted");
    await bed.forgetWrites();

    const blue = await bed.run({ flags: flags("blue") });
    const state = await blue.untilState(`${namespace}/wanted`, "conflict", "held-by-other-link");
    await untilSwept(red, 3);

    expect(state.message).toContain(`${namespace}.red.`);
    expect(await bed.writes(blue)).toEqual([]);
    expect(await bed.writes(red)).toEqual([]);
  });
});

describe("an installation that was doubled", () => {
  it("does not write where the link is held elsewhere, and says by whom", async () => {
    const link = `shared-${bed.id}`;
    const first = await bed.run({ flags: { link } });
    const other = await bed.namespace("source");
    await bed.src.apply(service(bed.src.namespace, "single"));
    await bed.dst.untilService("single");

    const second = await bed.launch({ flags: { link, leaderElectionNamespace: other.namespace } });
    await second.untilLogged("became leader");
    const [destination] = await waitFor(
      async () => {
        const { destinations } = await second.status();
        return destinations[0]?.heartbeat === "held-elsewhere" && destinations;
      },
      { what: "the second to see the first" },
    );
    await bed.src.apply(service(bed.src.namespace, "single-2"));
    await bed.dst.untilService("single-2");
    const whileHeld = await bed.writes(second);
    await first.stop();
    await second.untilIdle();
    await bed.settle(second);

    expect(destination?.heartbeatHolder).toContain(first.podName);
    expect(whileHeld).toEqual([]);
  });
});

describe("an installation with two destinations", () => {
  it("writes to both, and goes on writing to the one while the other is dead", async () => {
    const kubeconfig = join(folder, "kubeconfig.yaml");
    const port = await freePort();
    writeKubeconfig(kubeconfig, [
      await bed.access("source"),
      await bed.access("destination"),
      {
        ...(await bed.access("destination")),
        context: "dead",
        server: `https://127.0.0.1:${port}`,
      },
    ]);
    const second = await bed.namespace("destination");
    const from = await bed.namespace("source");
    const route = (to: string, namespace: string): object => ({
      name: to,
      namespaces: [from.namespace],
      destination: to,
      target: { namespace },
    });

    const run = await bed.launch({
      flags: { kubeconfig, leaderElectionNamespace: from.namespace },
      file: {
        destinations: [
          { name: "one", context: "destination" },
          { name: "two", context: "destination" },
          { context: "dead" },
        ],
        routes: [
          route("one", bed.dst.namespace),
          route("two", second.namespace),
          route("dead", bed.dst.namespace),
        ],
      },
    });
    await from.apply(
      slice(from.namespace, "twice", ["10.1.0.1"]),
      service(from.namespace, "twice"),
    );
    await bed.dst.untilEndpoints("twice", ["10.1.0.1"]);
    await second.untilEndpoints("twice", ["10.1.0.1"]);

    const ready = await run.get("/ready");
    expect(ready).toEqual({ status: 503, text: "waiting for destination dead is not connected" });
    const { destinations, services } = await run.status();
    expect(destinations.map(({ name, connected }) => [name, connected])).toEqual([
      ["one", true],
      ["two", true],
      ["dead", false],
    ]);
    expect(services.map(({ destination: to, target, state }) => [to, target, state])).toEqual(
      expect.arrayContaining([
        ["one", `${bed.dst.namespace}/twice`, "synced"],
        ["two", `${second.namespace}/twice`, "synced"],
      ]),
    );
  });
});

/** Resolves when a run has compared everything `times` times more. */
async function untilSwept(run: FerryRun, times: number): Promise<void> {
  const begin = await sweeps(run);
  await waitFor(async () => (await sweeps(run)) >= begin + times, { what: `${times} sweeps` });
  await run.untilIdle();
}

async function sweeps(run: FerryRun): Promise<number> {
  return (await run.metric("svc_ferry_sweeps_total")) ?? 0;
}
