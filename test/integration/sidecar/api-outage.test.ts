import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { Cluster } from "../../harness/cluster.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { waitFor } from "../../harness/wait-for.js";

const RULES = `
filters:
  sequential:
    - { group: "", resources: [{ group: "", version: v1, kind: Namespace }], labelSelectors: [{ matchLabels: { mirror: "yes" } }] }
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: Service }, { group: "", version: v1, kind: ConfigMap }], namespace: shop }
`;
const SERVICES = 5;
/** The raw way is one transaction; two seconds leave room for a busy machine, none for a time-out. */
const RAW_MS = 2_000;

let source: ControlPlane;
let destination: ControlPlane;
let from: Cluster;
let link: MirrorLink;

beforeAll(async () => {
  const start = async (name: string): Promise<ControlPlane> =>
    startControlPlane({ name, controllerManager: false });
  [source, destination] = await Promise.all([start("outage-source"), start("outage-destination")]);
  from = new Cluster(source);
  await source.kubectl(["create", "namespace", "shop"]);
  await source.kubectl(["label", "namespace", "shop", "mirror=yes"]);
  link = new MirrorLink({ link: "outage", source, destination, rules: RULES, api: destination });
  await link.start();
});
afterAll(async () => {
  await link.stop();
  await from.close();
  await Promise.all([source.stop(), destination.stop()]);
});

const create = async (kind: string, name: string, rest: object): Promise<unknown> =>
  from.create({ apiVersion: "v1", kind, metadata: { name, namespace: "shop" }, ...rest });

/** How long a ConfigMap takes from the answer of the source to the destination's etcd, ms. */
async function rawMs(name: string): Promise<number> {
  const signal = new AbortController().signal;
  const key = `/registry/configmaps/shop/${name}`;
  await create("ConfigMap", name, { data: { a: "b" } });
  const begin = performance.now();
  await waitFor(
    async () => (await link.etcds.destination.range({ key }, { signal })).kvs.length === 1,
    { what: `ConfigMap ${name}`, everyMs: 5 },
  );
  return performance.now() - begin;
}

const services = async (): Promise<string> =>
  destination.kubectl([
    "get",
    "services",
    "-n",
    "shop",
    "-o",
    "jsonpath={.items[*].spec.ports[0].port}",
  ]);

const paid = async (): Promise<true> =>
  waitFor(() => link.status.debts["via-api"] === 0, {
    what: "the debts to be paid",
    timeoutMs: 40_000,
  });

describe("a destination whose API server is down", () => {
  it("gets everything raw at once, and owes its Services", async () => {
    await destination.stopApiServer("crash");
    for (let n = 0; n < SERVICES; n += 1) {
      await create("Service", `web-${n}`, { spec: { ports: [{ port: 80 }] } });
    }
    const took = [];
    for (let n = 0; n < 10; n += 1) took.push(await rawMs(`raw-${n}`));

    expect(Math.max(...took)).toBeLessThan(RAW_MS);
    await link.caughtUp();
    expect(link.status.debts["via-api"]).toBe(SERVICES);
  });

  it("still does when a restart finds it so, and when it hangs instead", async () => {
    await link.stop();
    await from.patch("Service", "shop", "web-0", { spec: { ports: [{ port: 81 }] } });
    await link.start();
    expect(link.status.debts["via-api"]).toBe(SERVICES);
    await destination.startApiServer();
    await paid();
    destination.pauseApiServer();
    await create("Service", "web-late", { spec: { ports: [{ port: 82 }] } });
    const took = [];
    for (let n = 10; n < 15; n += 1) took.push(await rawMs(`raw-${n}`));

    expect(Math.max(...took)).toBeLessThan(RAW_MS);
    await link.caughtUp();
    expect(link.status.debts["via-api"]).toBe(1);
  });

  it("has all of them once it is back, as they are by then", async () => {
    destination.resumeApiServer();

    await paid();

    expect((await services()).split(" ").toSorted()).toEqual(["80", "80", "80", "80", "81", "82"]);
    expect(await link.debts()).toEqual({});
  });
});
