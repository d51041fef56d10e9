/** A source of three members: one that only learns, a leader that dies, a member that is left without one. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { prefixEnd } from "../../../sidecar/etcd/etcd.js";
import { introduce } from "../../../sidecar/etcd/introduction.js";
import { type EtcdCluster, startEtcdCluster } from "../../controlplane/etcd-cluster.js";
import type { EtcdServer } from "../../controlplane/etcd-server.js";
import { MirrorPair, put } from "../../harness/mirror-pair.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import { SILENT_LOG } from "../../fakes/silent-log.js";
import { ProcessEtcd } from "../../fakes/process-etcd.js";
import { StoppableClock } from "../../harness/stoppable-clock.js";
import { waitFor } from "../../harness/wait-for.js";

const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }] }
`;
/** Of a fence: an election takes up to two seconds here, and gives a lease its whole time again. */
const TTL_SECONDS = 5;
const CALL = { signal: new AbortController().signal };

let cluster: EtcdCluster;
let learner: EtcdServer;
beforeAll(async () => {
  cluster = await startEtcdCluster("source");
  learner = await cluster.addLearner();
});
afterAll(async () => cluster.stop());

/** A destination, and the source as it is seen through these members. */
async function pairFrom(...members: readonly EtcdServer[]): Promise<MirrorPair> {
  const pair = await MirrorPair.start({ source: members.map(({ endpoint }) => endpoint) });
  onTestFinished(() => pair.stop());
  await pair.write(pair.destination, put("namespaces/shop"), put("namespaces/marks"));
  return pair;
}

async function expectEqual(pair: MirrorPair): Promise<void> {
  const data = async (etcd: MirrorPair["source"]): Promise<readonly unknown[]> =>
    [...(await pair.objects(etcd))]
      .filter(([path]) => path.startsWith("configmaps/"))
      .map(([path, object]) => [path, object.data]);
  expect(await data(pair.destination)).toEqual(await data(pair.source));
}

describe("a mirror from an etcd of three members", () => {
  it("does not count on a member that only learns, though it is named first", async () => {
    const pair = await pairFrom(learner, ...cluster.members.slice(0, 1));
    const mirror = await pair.follow({ rules: RULES });

    await pair.put("configmaps/shop/learned", { data: { a: 1 } });
    await pair.applied(mirror);

    await expectEqual(pair);
  });

  it("says so when there are learners only", async () => {
    const etcd = await openRealEtcd(learner.endpoint);

    const refused = await introduce(etcd, "source", CALL.signal).catch((error: unknown) => error);

    expect(refused).toMatchObject({
      name: "EtcdUnsuitable",
      message: "source has learners only behind these endpoints",
    });
    await etcd.close();
  });
});

describe("a watch on a member that is left without a leader", () => {
  it("is told so instead of waiting for ever, and goes on where it was when there is one again", async () => {
    const [alone, ...others] = cluster.members as [EtcdServer, ...EtcdServer[]];
    const warnings: string[] = [];
    const log = { ...SILENT_LOG, warn: (_: object, text: string) => void warnings.push(text) };
    const etcd = await openRealEtcd(alone.endpoint, {}, { log });
    const over = new AbortController();
    const range = { key: "/alone/", rangeEnd: prefixEnd("/alone/") };
    const from = (await etcd.revision(CALL)).revision + 1n;
    const watch = etcd.watch({ range, from, signal: over.signal })[Symbol.asyncIterator]();
    const write = async (key: string): Promise<boolean> => {
      const then = [{ kind: "put", key, value: Buffer.from("x") }] as const;
      return (await etcd.txn({ compare: [], then, otherwise: [] }, CALL)).succeeded;
    };
    const first = watch.next();
    await write("/alone/a");
    expect((await first).value).toMatchObject({ events: [{ kv: { key: "/alone/a" } }] });

    const next = watch.next();
    for (const other of others) other.pause();
    const isTold = (): boolean => warnings.includes("watch stream broke");
    await waitFor(isTold, { what: "the word that there is no leader", timeoutMs: 30_000 });
    for (const other of others) other.resume();
    await waitFor(() => write("/alone/b"), { what: "a leader again", timeoutMs: 30_000 });

    expect((await next).value).toEqual({ kind: "reconnected" });
    expect((await watch.next()).value).toMatchObject({ events: [{ kv: { key: "/alone/b" } }] });
    over.abort();
    await watch.next();
    await etcd.close();
  });
});

describe("a mirror that follows an etcd of three members", () => {
  it("goes on when the leader dies while it follows, and misses nothing", async () => {
    const pair = await pairFrom(...cluster.members);
    const { source } = pair;
    const mirror = await pair.follow({ rules: RULES });
    const write = async (name: string): Promise<void> => {
      // Between two leaders nobody takes a write, and of one that was under way nobody knows.
      const isWritten = async (): Promise<boolean> =>
        (await pair.put(`configmaps/shop/${name}`, { data: { name } })) > 0n;
      await waitFor(isWritten, { what: `${name} to be written`, timeoutMs: 20_000 });
    };
    for (let at = 0; at < 50; at += 1) await write(`before-${at}`);
    const leader = await cluster.leader();

    await leader.crash();
    for (let at = 0; at < 50; at += 1) await write(`after-${at}`);

    await pair.applied(mirror);
    await expectEqual(pair);
    const { revision } = await source.revision(CALL);
    await leader.start();
    expect(mirror.mirror.status.passes).toMatchObject({ first: 1 });
    expect(revision).toBeGreaterThan(100n);
  });
});

describe("a mirror into an etcd of three members", () => {
  it("is taken over within twice its time and two seconds when it dies together with the leader", async () => {
    const pair = await MirrorPair.start({
      destination: cluster.members.map(({ endpoint }) => endpoint),
    });
    onTestFinished(() => pair.stop());
    await pair.write(pair.destination, put("namespaces/shop"), put("namespaces/marks"));
    const clock = new StoppableClock();
    onTestFinished(() => clock.continue());
    const source = new ProcessEtcd(pair.source, clock, 0);
    const destination = new ProcessEtcd(pair.destination, clock, 0);
    const common = { rules: RULES, ttlSeconds: TTL_SECONDS };
    const first = await pair.follow({ ...common, identity: "first", clock, source, destination });
    const second = pair.mirror({ ...common, identity: "second" });
    const isStandingBy = (): boolean => second.mirror.status.fence.holder === "first";
    await waitFor(isStandingBy, { what: "the second to stand by" });
    const leader = await cluster.leader();

    clock.stop();
    const sinceMs = performance.now();
    await leader.crash();
    await pair.put("configmaps/shop/meanwhile", { data: { a: 1 } });
    const isAtWork = (): boolean => second.mirror.status.activity === "following";
    await waitFor(isAtWork, { what: "the second at work", timeoutMs: 60_000 });
    const tookMs = performance.now() - sinceMs;

    await leader.start();
    await pair.applied(second);
    expect((await pair.objects()).get("configmaps/shop/meanwhile")).toMatchObject({
      data: { a: 1 },
    });
    expect(first.mirror.status.fence.held).toBe(false);
    expect(tookMs).toBeLessThan((2 * TTL_SECONDS + 2) * 1_000);
  });
});
