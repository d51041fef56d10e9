import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Etcd, TxnOp } from "../../../sidecar/etcd/etcd.js";
import { transaction } from "../../../sidecar/etcd/transaction.js";
import type { LinkPolicy } from "../../../sidecar/link/policy.js";
import { type ControlPlane, startControlPlane } from "../../controlplane/control-plane.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { MirrorLink } from "../../harness/mirror-link.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import { RawInformer } from "../../harness/raw-informer.js";
import { waitFor } from "../../harness/wait-for.js";

/** Between the starts of two informers, and between two cuts of a watch. */
const EVERY_MS = 200;
/** A copy on a busy machine takes longer; the server is not to be drowned in watches. */
const MAX_INFORMERS = 12;
/** Some 15 MB of watch events are still on their way to them when a copy in bulk is done. */
const HEARD_MS = 45_000;
const FOREVER = new AbortController().signal;
const SENTINEL = "written-through-the-api-at-the-end";

let source: EtcdServer;
let destination: ControlPlane;
let sourceEtcd: Etcd;
let destinationEtcd: Etcd;
let agent: Agent;

beforeAll(async () => {
  [source, destination] = await Promise.all([
    startEtcd(),
    startControlPlane({
      name: "informed",
      controllerManager: false,
      // So that no API server says in etcd that it is there, as one that has just been started does not yet.
      extraApiServerArgs: ["--endpoint-reconciler-type=none"],
    }),
  ]);
  [sourceEtcd, destinationEtcd] = await Promise.all([
    openRealEtcd(source.endpoint),
    openRealEtcd(destination.etcd),
  ]);
  agent = new Agent({ connect: { ca: destination.ca } });
});
afterAll(async () => {
  await Promise.all([sourceEtcd.close(), destinationEtcd.close(), agent.destroy()]);
  await Promise.all([source.stop(), destination.stop()]);
});

const rules = (namespace: string): string => `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }], namespace: ${namespace} }
`;

async function fill(namespace: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 100) {
    const puts = Array.from({ length: 100 }, (_, index): TxnOp => {
      const name = `cm-${String(at + index).padStart(5, "0")}`;
      const metadata = { name, namespace, uid: `uid-${namespace}-${name}` };
      const object = { kind: "ConfigMap", apiVersion: "v1", metadata, data: { a: "b" } };
      const value = Buffer.from(`${JSON.stringify(object)}\n`);
      return { kind: "put", key: `/registry/configmaps/${namespace}/${name}`, value };
    });
    await sourceEtcd.txn(transaction([], puts, []), { signal: FOREVER });
  }
}

/** What etcd holds: name and mod_revision, which is the resourceVersion. */
async function truth(namespace: string): Promise<ReadonlyMap<string, string>> {
  const key = `/registry/configmaps/${namespace}/`;
  const rangeEnd = `/registry/configmaps/${namespace}0`;
  const { kvs } = await destinationEtcd.range(
    { key, rangeEnd, keysOnly: true },
    { signal: FOREVER },
  );
  return new Map(kvs.map((kv) => [kv.key.slice(key.length), String(kv.modRevision)]));
}

/** Copies while informers start and are cut. @returns how many objects each of them is wrong about in the end */
async function wrongAfterCopy(
  namespace: string,
  count: number,
  policy: Partial<LinkPolicy>,
): Promise<readonly number[]> {
  await fill(namespace, count);
  await destination.kubectl(["create", "namespace", namespace]);
  const link = new MirrorLink({
    link: namespace,
    source: { etcd: source.endpoint },
    destination,
    rules: rules(namespace),
    policy,
  });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const informers: RawInformer[] = [];
  const copied = link.start();
  let isCopying = true;
  const done = copied.finally(() => (isCopying = false));
  while (isCopying) {
    if (informers.length < MAX_INFORMERS) {
      informers.push(new RawInformer(agent, destination, path, EVERY_MS));
    }
    await Promise.race([done, sleep(EVERY_MS)]);
  }
  await done;
  await link.stop();
  for (const informer of informers) informer.calm();
  await destination.kubectl(["create", "configmap", SENTINEL, "-n", namespace]);
  const failures = (): readonly unknown[] =>
    informers.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const waiting = (): number =>
    informers.filter(({ objects, hasExpired }) => !hasExpired && !objects.has(SENTINEL)).length;
  await waitFor(() => waiting() === 0 || failures().length > 0, {
    what: "every informer to have heard of the last object",
    timeoutMs: HEARD_MS,
  });
  const expected = await truth(namespace);
  await Promise.all(informers.map(async (informer) => informer.stop()));
  expect(failures()).toEqual([]);
  expect(expected.size).toBe(count + 1);
  const lasting = informers.filter(({ hasExpired }) => !hasExpired);
  return lasting.map(({ objects }) => differences(objects, expected));
}

function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): number {
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].filter((name) => a.get(name) !== b.get(name)).length;
}

describe("informers of the destination during a first copy, their watches cut again and again", () => {
  it("know every object in the end, because no revision holds two of a resource", async () => {
    const wrong = await wrongAfterCopy("live", 1_500, { maxWritesPerSecond: 1_000 });

    expect(wrong.length).toBeGreaterThan(3);
    expect(wrong).toEqual(wrong.map(() => 0));
  });

  it("miss objects for good where several share a revision: that is what --dest-cold is for", async () => {
    const wrong = await wrongAfterCopy("bulk", 8_000, { destinationIsCold: true });

    expect(Math.max(...wrong)).toBeGreaterThan(0);
  });
});
