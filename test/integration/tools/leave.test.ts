import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import { service, slice } from "../../harness/manifests.js";
import { addressesOf, readyIps } from "../../harness/namespace-view.js";
import { runTool, type ToolResult } from "../../harness/tool-run.js";

let bed: FerryBed;

beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed.close());
afterEach(async () => bed.stopRuns());

/** Of every mirror; k8s-svc-sync knows its own by it. */
const MARK = "sync=true-external";

function leave(...words: readonly string[]): Promise<ToolResult> {
  const own = ["--kubeconfig", bed.kubeconfigPath, "--context", "destination"];
  return runTool(["leave", ...own, "-n", bed.dst.namespace, ...words]);
}

/** A mirror of two addresses, and its link. */
async function mirrored(name: string): Promise<string> {
  const ferry = await bed.run();
  await bed.src.apply(slice(bed.src.namespace, name, ["10.1.0.1", "10.1.0.2"]));
  await bed.src.apply(service(bed.src.namespace, name));
  await bed.dst.untilEndpoints(name, ["10.1.0.1", "10.1.0.2"]);
  await bed.settle(ferry);
  return (await ferry.status()).link ?? "";
}

/** Looks all the time whether both kinds of endpoints hold these addresses; resolves with what was missing. */
async function watching(
  name: string,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const gaps: string[] = [];
  while (!signal.aborted) {
    const slices = await bed.dst.slices(name);
    const inSlices = new Set(addressesOf(slices));
    const endpoints = await bed.dst.get("Endpoints", name);
    const inEndpoints = endpoints === undefined ? [] : readyIps(endpoints);
    for (const address of addresses) {
      if (!inSlices.has(address)) gaps.push(`slices lack ${address}`);
      if (!inEndpoints.includes(address)) gaps.push(`Endpoints lack ${address}`);
    }
    await sleep(5);
  }
  return gaps;
}

describe("svc-ferry leave on a real API server", () => {
  it("hands over to k8s-svc-sync without a moment without addresses", async () => {
    const link = await mirrored("web");
    const before = await bed.dst.service("web");
    const alive = await leave("--to", "k8s-svc-sync", "--yes", "--link", link);
    await bed.stopRuns();
    const asked = await leave("--to", "k8s-svc-sync", "--link", link);
    const stop = new AbortController();
    const gaps = watching("web", ["10.1.0.1", "10.1.0.2"], stop.signal);

    const done = await leave("--to", "k8s-svc-sync", "--yes", "--link", link);
    stop.abort();

    expect(alive.code).toBe(2);
    expect(alive.err).toMatch(/the link is alive: \S+ holds Lease/);
    expect(asked).toMatchObject({ code: 0, err: "" });
    expect(asked.out).toContain("patch endpoints ");
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(await gaps).toEqual([]);
    const after = await bed.dst.service("web");
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.labels).toEqual({ sync: "true-external" });
    const left = [after, await bed.dst.get("Endpoints", "web")].map((one) => {
      const { labels, annotations } = one?.metadata ?? {};
      return JSON.stringify({ labels, annotations });
    });
    expect(left.join()).not.toContain("svc-ferry");
    const managers = (await bed.dst.slices("web")).map(
      ({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
    );
    expect(managers).toEqual(["endpointslicemirroring-controller.k8s.io"]);
    expect(await bed.dst.get("Lease", link)).toBeUndefined();
  });

  it("takes nothing away that comes back: a new installation adopts what was handed over", async () => {
    const uid = (await bed.dst.service("web")).metadata.uid;

    await mirrored("web");
    await bed.stopRuns();

    const adopted = await bed.dst.service("web");
    expect(adopted.metadata.uid).toBe(uid);
    expect(adopted.metadata.labels?.["app.kubernetes.io/managed-by"]).toBe("svc-ferry");
  });

  it("keeps everything, as nobody's", async () => {
    const link = await mirrored("kept");
    await bed.stopRuns();

    const { code } = await leave("--keep", "--yes", "--link", link);

    expect(code).toBe(0);
    expect(
      await bed.destination.list("Service", bed.dst.namespace, `svc-ferry.io/link=${link}`),
    ).toEqual([]);
    const kept = await bed.destination.list("Service", bed.dst.namespace, MARK);
    expect(kept.map(({ metadata }) => metadata.name)).toContain("kept");
    const slices = await bed.dst.slices("kept");
    expect(addressesOf(slices)).toEqual(["10.1.0.1", "10.1.0.2"]);
  });

  it("removes all of a link, also when its source is dead, and needs to be told which", async () => {
    const link = await mirrored("gone");
    await bed.stopRuns();

    const unnamed = await leave("--remove", "--yes");
    const { code } = await leave("--remove", "--yes", "--link", link);

    expect(unnamed).toMatchObject({ code: 2, out: "" });
    expect(code).toBe(0);
    expect(await bed.dst.get("Service", "gone")).toBeUndefined();
    for (const kind of ["Service", "EndpointSlice", "Endpoints"]) {
      expect(
        await bed.destination.list(kind, bed.dst.namespace, `svc-ferry.io/link=${link}`),
      ).toEqual([]);
    }
  });
});
