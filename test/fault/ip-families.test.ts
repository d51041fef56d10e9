import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../controlplane/control-plane.js";
import { writeKubeconfig } from "../controlplane/kubeconfig.js";
import { Cluster } from "../harness/cluster.js";
import { FerryRun } from "../harness/ferry-run.js";
import { service, slice } from "../harness/manifests.js";
import { NamespaceView, specOf } from "../harness/namespace-view.js";
import { waitFor } from "../harness/wait-for.js";

const FAMILIES = ["ipv4", "ipv6", "dual"] as const;
type Family = (typeof FAMILIES)[number];

const V4 = "10.1.0.1";
const V6 = "fd00:1::1";

/** Three clusters; each sends its Services to both others. */
const planes = new Map<Family, ControlPlane>();
const clusters = new Map<Family, Cluster>();
const runs = new Map<Family, FerryRun>();
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-families-"));
  await Promise.all(
    FAMILIES.map(async (ipFamily) => {
      const plane = await startControlPlane({ name: ipFamily, ipFamily });
      planes.set(ipFamily, plane);
      clusters.set(ipFamily, new Cluster(plane.connection()));
    }),
  );
  const kubeconfig = join(folder, "kubeconfig.yaml");
  const entries = [...planes].map(([context, controlPlane]) => ({ context, controlPlane }));
  writeKubeconfig(kubeconfig, entries);
  for (const family of FAMILIES) {
    await at(family, "from").cluster.createNamespace("from");
    for (const other of othersOf(family)) await at(family, other).cluster.createNamespace(other);
  }
  for (const family of FAMILIES) runs.set(family, run(family, kubeconfig));
  await Promise.all([...runs.values()].map(async (one) => one.untilIdle()));
});
afterAll(async () => {
  await Promise.all([...runs.values()].map(async (one) => one.stop()));
  await Promise.all([...clusters.values()].map(async (cluster) => cluster.close()));
  await Promise.all([...planes.values()].map(async (plane) => plane.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** From namespace `from` of one cluster to the namespace of its name in the others. */
function run(family: Family, kubeconfig: string): FerryRun {
  const others = othersOf(family);
  return new FerryRun({
    podName: `pod-${family}`,
    flags: {
      kubeconfig,
      srcContext: family,
      leaderElectionNamespace: "from",
      sweepInterval: "100ms",
    },
    file: {
      destinations: others.map((context) => ({ context })),
      routes: others.map((destination) => ({
        name: `to-${destination}`,
        namespaces: ["from"],
        destination,
        target: { namespace: family },
      })),
    },
  });
}

function othersOf(family: Family): readonly Family[] {
  return FAMILIES.filter((one) => one !== family);
}

function at(family: Family, namespace: string): NamespaceView {
  const cluster = clusters.get(family);
  if (cluster === undefined) throw new Error(`no cluster ${family}`);
  return new NamespaceView(cluster, namespace);
}

function runOf(family: Family): FerryRun {
  const found = runs.get(family);
  if (found === undefined) throw new Error(`no run ${family}`);
  return found;
}

/** How many writes two more sweeps of a run cause, everything being mirrored. */
async function writesOfTwoSweeps(family: Family): Promise<number> {
  const ferry = runOf(family);
  await ferry.untilIdle();
  const sweeps = async (): Promise<number> => (await ferry.metric("svc_ferry_sweeps_total")) ?? 0;
  const writes = async (): Promise<number> => (await ferry.metric("svc_ferry_writes_total")) ?? 0;
  const [sweptBefore, writtenBefore] = [await sweeps(), await writes()];
  await waitFor(async () => (await sweeps()) >= sweptBefore + 4, { what: "two sweeps of both" });
  await ferry.untilIdle();
  return (await writes()) - writtenBefore;
}

describe("a dual-stack Service", () => {
  it.each([
    ["ipv4", ["IPv4"]],
    ["ipv6", ["IPv6"]],
  ] as const)(
    "has the one family of an %s-only destination, and comes to rest",
    async (to, families) => {
      const name = `dual-to-${to}`;
      const from = at("dual", "from");
      await from.apply(
        slice("from", name, [V4], { name: `${name}-4` }),
        slice("from", name, [V6], { name: `${name}-6`, addressType: "IPv6" }),
        service("from", name, { spec: { ipFamilyPolicy: "RequireDualStack" } }),
      );

      const mirror = await at(to, "dual").untilService(name);
      await at(to, "dual").untilAddresses(name, [V4, V6]);
      await at(to, "dual").untilEndpoints(name, to === "ipv4" ? [V4] : [V6]);

      expect(specOf(mirror)).toMatchObject({ ipFamilies: families });
      expect(await writesOfTwoSweeps("dual")).toBe(0);
    },
  );
});

describe("a single-stack Service", () => {
  it.each([
    ["ipv4", "IPv4", V4],
    ["ipv6", "IPv6", V6],
  ] as const)(
    "of an %s-only source keeps its family in a dual-stack destination",
    async (from, family, address) => {
      const name = `${from}-to-dual`;
      await at(from, "from").apply(
        slice("from", name, [address], { addressType: family }),
        service("from", name),
      );

      const mirror = await at("dual", from).untilService(name);
      await at("dual", from).untilEndpoints(name, [address]);

      expect(specOf(mirror)).toMatchObject({ ipFamilies: [family], ipFamilyPolicy: "SingleStack" });
      expect(await writesOfTwoSweeps(from)).toBe(0);
    },
  );

  it.each([
    ["ipv6", "ipv4"],
    ["ipv4", "ipv6"],
  ] as const)(
    "of an %s-only source is refused by an %s-only destination, with an Event",
    async (from, to) => {
      const name = `${from}-to-${to}`;

      await at(from, "from").apply(service("from", name));
      await at(from, "from").untilEvent(name, /^Refused: no-common-ip-family: /);
      await at("dual", from).untilService(name);

      expect(await at(to, from).get("Service", name)).toBeUndefined();
      expect(await writesOfTwoSweeps(from)).toBe(0);
      const { services } = await runOf(from).status();
      expect(services).toContainEqual(
        expect.objectContaining({
          service: `from/${name}`,
          destination: to,
          state: "refused",
          reason: "no-common-ip-family",
        }),
      );
    },
  );
});

describe("a headless Service without selector", () => {
  // The API server gives it both families, whatever the cluster has (pkg/registry/core/service, defaultOnReadFamilies).
  it.each(FAMILIES)(
    "of an %s source is mirrored to both others, and comes to rest",
    async (from) => {
      const name = `headless-of-${from}`;
      await at(from, "from").apply(service("from", name, { spec: { clusterIP: "None" } }));

      for (const to of othersOf(from)) await at(to, from).untilService(name);

      expect(await writesOfTwoSweeps(from)).toBe(0);
    },
  );
});

describe("a Service that turns dual-stack and back", () => {
  it("takes its mirror along in a dual-stack destination", async () => {
    const name = "turning";
    await at("dual", "from").apply(service("from", name));
    await at("ipv4", "dual").untilService(name);

    await at("dual", "from").patch("Service", name, {
      spec: { ipFamilyPolicy: "PreferDualStack" },
    });
    await at("ipv4", "dual").untilService(
      name,
      (mirror) => specOf(mirror)["ipFamilyPolicy"] === "PreferDualStack",
    );
    const ipFamilies = ["IPv4"];
    await at("dual", "from").patch("Service", name, {
      spec: { ipFamilyPolicy: "SingleStack", ipFamilies },
    });
    await at("ipv4", "dual").untilService(
      name,
      (mirror) => specOf(mirror)["ipFamilyPolicy"] === "SingleStack",
    );

    expect(await writesOfTwoSweeps("dual")).toBe(0);
  });
});
