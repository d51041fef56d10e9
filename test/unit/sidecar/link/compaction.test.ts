import { describe, expect, it } from "vitest";
import { compactWhereNobodyDoes } from "../../../../sidecar/link/compaction.js";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { NEVER } from "../../../fixtures/link-scene.js";

const MINUTE = 60_000;

function scene() {
  const clock = new VirtualClock();
  const etcd = new FakeEtcd(clock, { name: "destination" });
  const compacted: { readonly atMs: number; readonly revision: bigint }[] = [];
  etcd.compact = async (revision) => void compacted.push({ atMs: clock.monotonicMs(), revision });
  const holding = { now: true };
  const isHolder = (): boolean => holding.now;
  void compactWhereNobodyDoes(
    { etcd, kubePrefix: "/registry", clock, log: SILENT_LOG, isHolder },
    NEVER,
  );
  const put = async (key: string): Promise<void> => {
    const write = { kind: "put", key, value: Buffer.from("x") } as const;
    await etcd.txn(transaction([], [write], []), { signal: NEVER });
  };
  /** So many minutes with one write in each. */
  const pass = async (minutes: number, key = "/registry/a"): Promise<void> => {
    for (let at = 0; at < minutes; at += 1) {
      await put(key);
      await clock.advance(MINUTE);
    }
  };
  return { clock, etcd, compacted, holding, put, pass };
}

describe("compaction of the destination", () => {
  it("begins after a quarter of an hour without a sign of an API server, and keeps five minutes", async () => {
    const { compacted, pass } = scene();

    await pass(17);

    expect(compacted).toEqual([
      { atMs: 15 * MINUTE, revision: 11n },
      { atMs: 16 * MINUTE, revision: 12n },
      { atMs: 17 * MINUTE, revision: 13n },
    ]);
  });

  it("leaves it to API servers as long as they do it", async () => {
    const { compacted, put, pass } = scene();

    for (let at = 0; at < 6; at += 1) {
      await put("compact_rev_key");
      await pass(5);
    }

    expect(compacted).toEqual([]);
  });

  it("leaves it alone while an API server has told that it is there", async () => {
    const { compacted, put, pass } = scene();
    await put("/registry/masterleases/10.0.0.1");

    await pass(30);

    expect(compacted).toEqual([]);
  });

  it("is the holder's of the fence alone", async () => {
    const { compacted, holding, pass } = scene();
    holding.now = false;

    await pass(30);

    expect(compacted).toEqual([]);
  });

  it("goes on after an etcd that did not answer for a while", async () => {
    const { etcd, compacted, clock, pass } = scene();
    await pass(10);
    etcd.setOutage(true);
    await clock.advance(3 * MINUTE);
    etcd.setOutage(false);

    await pass(4);

    expect(compacted.length).toBeGreaterThan(0);
  });
});
