import { describe, expect, it } from "vitest";
import { Fence } from "../../../../sidecar/fence/fence.js";
import type { HeldFence } from "../../../../sidecar/fence/held-fence.js";
import { Keyspace } from "../../../../sidecar/link/keyspace.js";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { ProcessClock } from "../../../fakes/process-clock.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const FOREVER = new AbortController().signal;
const keys = new Keyspace("east");

function bed() {
  const world = new VirtualClock();
  const etcd = new FakeEtcd(world);
  const candidate = (identity: string) => {
    const clock = new ProcessClock(world);
    const fence = new Fence({ etcd, clock, log: SILENT_LOG, keys, identity, ttlSeconds: 10 });
    return { fence, clock };
  };
  const acquired = async (fence: Fence): Promise<HeldFence> => {
    let held: HeldFence | undefined;
    fence.acquire(FOREVER).then(
      (taken) => (held = taken),
      () => undefined,
    );
    await world.runUntil(() => held !== undefined, 60_000);
    if (held === undefined) throw new Error("the fence was not taken");
    return held;
  };
  return { world, etcd, candidate, acquired };
}

describe("Fence", () => {
  it("is a key bound to a lease, made by whoever finds none, and kept alive", async () => {
    const { world, etcd, candidate, acquired } = bed();
    const { fence } = candidate("pod-a");

    const held = await acquired(fence);
    await world.advance(120_000);

    const kv = etcd.store.get(keys.fence);
    expect(kv?.createRevision).toBe(held.createRevision);
    expect(kv?.lease).not.toBe(0n);
    expect(held.permit()).toBe(true);
    expect(fence.status).toEqual({ held: true, holder: "pod-a", trouble: undefined });
  });

  it("lets a second one wait and say by whom, and take over at once when it is given back", async () => {
    const { world, candidate, acquired } = bed();
    const first = await acquired(candidate("pod-a").fence);
    const second = candidate("pod-b");
    const waiting = acquired(second.fence);
    await world.advance(5_000);
    expect(second.fence.status.holder).toBe("pod-a");

    await first.release();
    const startMs = world.monotonicMs();
    const held = await waiting;

    expect(world.monotonicMs() - startMs).toBeLessThanOrEqual(500);
    expect([first.permit(), held.permit()]).toEqual([false, true]);
  });

  it("gives no permit after the last keep-alive that was sent, its TTL and minus a second, without a timer", async () => {
    const { world, etcd, candidate, acquired } = bed();
    const one = candidate("pod-a");
    const held = await acquired(one.fence);
    await world.advance(1_000);

    etcd.setOutage(true);
    await world.advance(7_900);
    const before = held.permit();
    await world.advance(200);

    expect([before, held.permit()]).toEqual([true, false]);
    expect(held.signal.aborted).toBe(true);
  });

  it("is taken over within the TTL and a second when its holder was stopped, which then has no permit", async () => {
    const { world, candidate, acquired } = bed();
    const one = candidate("pod-a");
    const held = await acquired(one.fence);
    await world.advance(20_000);

    one.clock.freeze();
    const frozenMs = world.monotonicMs();
    const next = await acquired(candidate("pod-b").fence);
    const tookMs = world.monotonicMs() - frozenMs;
    one.clock.thaw();

    expect(tookMs).toBeLessThanOrEqual(11_000);
    expect(next.createRevision).not.toBe(held.createRevision);
    expect(held.permit()).toBe(false);
  });

  it("tells that it cannot be taken while the store is full, and takes it when there is room", async () => {
    const { world, etcd, candidate, acquired } = bed();
    etcd.noSpace = true;
    const { fence } = candidate("pod-a");
    const waiting = acquired(fence);
    await world.advance(2_000);
    expect(fence.status).toEqual({ held: false, holder: undefined, trouble: "no-space" });

    etcd.noSpace = false;

    expect((await waiting).permit()).toBe(true);
  });

  it("is lost at once when somebody takes its key, though the lease is kept alive and nothing is written", async () => {
    const { world, etcd, candidate, acquired } = bed();
    const held = await acquired(candidate("pod-a").fence);
    await world.advance(1_000);

    await etcd.txn(transaction([], [{ kind: "delete", key: keys.fence }], []), { signal: FOREVER });
    await world.advance(10);

    expect(held.signal.reason).toMatchObject({ name: "FenceLost", why: "taken" });
    expect(held.permit()).toBe(false);
  });

  it("is lost at once when somebody takes the lease away", async () => {
    const { world, etcd, candidate, acquired } = bed();
    const held = await acquired(candidate("pod-a").fence);
    const lease = etcd.store.get(keys.fence)?.lease ?? 0n;

    await etcd.revokeLease(lease, { signal: FOREVER });
    await world.advance(10);

    expect(held.signal.reason).toMatchObject({ name: "FenceLost", why: "taken" });
  });

  it("is found lost when its key was taken out of reach, and the history since is compacted", async () => {
    const { world, etcd, candidate, acquired } = bed();
    const held = await acquired(candidate("pod-a").fence);
    await world.advance(1_000);
    etcd.setOutage(true);
    etcd.store.commit([{ kind: "delete", key: keys.fence }]);
    etcd.store.commit([{ kind: "put", key: "other", value: Buffer.of(1), lease: 0n }]);
    etcd.store.compact(etcd.store.revision);

    etcd.setOutage(false);
    await world.advance(2_000);

    expect(held.signal.reason).toMatchObject({ name: "FenceLost", why: "taken" });
  });
});
