import { describe, expect, it } from "vitest";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import { encodeBatch } from "../../../../sidecar/ledger/record.js";
import { MirroredHere } from "../../../../sidecar/view/mirrored-here.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const CALL = { signal: new AbortController().signal };
/** Older than everything: nothing is asked, only what is known counts. */
const OLD = 0n;

class Scene {
  readonly clock = new VirtualClock();
  readonly etcd = new FakeEtcd(this.clock, { name: "source", clusterId: 11n });
  readonly here = new MirroredHere(this.etcd, SILENT_LOG, this.clock);
  freed = 0;

  async put(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.write({ kind: "put", key, value: Buffer.from("1") });
  }

  async write(...ops: Parameters<typeof transaction>[1]): Promise<void> {
    await this.etcd.txn(transaction([], ops, []), CALL);
    await this.clock.advance(0);
  }

  async follow(): Promise<void> {
    const on = { freed: () => (this.freed += 1), mirrored: () => undefined };
    void this.here.follow(on, CALL.signal);
    await this.clock.advance(0);
  }
}

describe("MirroredHere", () => {
  it("knows every link's records, single and in batches, and no other books", async () => {
    const scene = new Scene();
    const record = {
      ...({ sourceRevision: 1n, epoch: "1.a", rule: 0, via: "etcd", sourceUid: "u" } as const),
      ...{ destinationUid: "u", destinationRevision: undefined, owners: [] },
    };
    const value = encodeBatch([{ path: "configmaps/a/batched", record }]);
    await scene.put("/svc-ferry/one/own/configmaps/a/x", "/svc-ferry/two/own/configmaps/a/y");
    await scene.put("/svc-ferry/two/debt/configmaps/a/owed");
    await scene.write({ kind: "put", key: "/svc-ferry/two/batch/e/1", value });

    await scene.here.load(CALL);

    const paths = ["x", "y", "batched", "owed", "z"].map((name) => `configmaps/a/${name}`);
    const answers = await Promise.all(paths.map((path) => scene.here.has(path, OLD, CALL)));
    expect(answers).toEqual([true, true, true, false, false]);
  });

  it("follows records that come and go", async () => {
    const scene = new Scene();
    await scene.here.load(CALL);
    await scene.follow();
    const key = "/svc-ferry/one/own/configmaps/a/x";

    await scene.put(key);
    const came = await scene.here.has("configmaps/a/x", OLD, CALL);
    await scene.write({ kind: "delete", key });

    expect(came).toBe(true);
    expect(await scene.here.has("configmaps/a/x", OLD, CALL)).toBe(false);
  });

  it("reads the ledgers again when the source has compacted what the watch still needed", async () => {
    const scene = new Scene();
    await scene.put("/svc-ferry/one/own/configmaps/a/gone");
    await scene.here.load(CALL);
    await scene.write({ kind: "delete", key: "/svc-ferry/one/own/configmaps/a/gone" });
    await scene.put("/svc-ferry/one/own/configmaps/a/x", "/elsewhere");
    await scene.etcd.compact(scene.etcd.store.revision, CALL);

    await scene.follow();

    expect(await scene.here.has("configmaps/a/x", OLD, CALL)).toBe(true);
    expect(await scene.here.has("configmaps/a/gone", OLD, CALL)).toBe(false);
    expect(scene.freed).toBe(1);
  });

  it("asks nothing about objects that are older than what it has read", async () => {
    const scene = new Scene();
    await scene.put("/svc-ferry/one/own/configmaps/a/x");
    await scene.here.load(CALL);
    scene.etcd.setOutage(true);

    const { revision } = scene.etcd.store;

    expect(await scene.here.has("configmaps/a/y", revision, CALL)).toBe(false);
  });

  it("asks at once which links there are, and then once for all that comes within 3 ms", async () => {
    const scene = new Scene();
    await scene.here.load(CALL);
    const held = scene.etcd.faults.hold("range");
    await scene.put("/registry/configmaps/a/1");
    const first = scene.here.has("configmaps/a/1", scene.etcd.store.revision, CALL);
    await scene.clock.advance(0);
    const atOnce = held.waiting;
    held.release();
    await first;

    const again = scene.etcd.faults.hold("range");
    const answers = [];
    for (const name of ["2", "3"]) {
      await scene.put(`/svc-ferry/one/own/configmaps/a/${name}`, `/registry/configmaps/a/${name}`);
      answers.push(scene.here.has(`configmaps/a/${name}`, scene.etcd.store.revision, CALL));
    }
    await scene.clock.advance(2);
    const early = again.waiting;
    await scene.clock.advance(1);
    const later = again.waiting;
    again.release();

    expect([atOnce, early, later]).toEqual([1, 0, 1]);
    expect(await Promise.all(answers)).toEqual([true, true]);
  });

  it("knows without a question that nobody can have written what is older than its last answer", async () => {
    const scene = new Scene();
    await scene.here.load(CALL);
    const { revision } = scene.etcd.store;
    const before = [scene.here.hasNone(revision), scene.here.hasNone(revision + 1n)];
    await scene.put("/svc-ferry/one/own/configmaps/a/x");

    await scene.here.has("configmaps/a/x", scene.etcd.store.revision, CALL);

    expect(before).toEqual([true, false]);
    expect(scene.here.hasNone(revision)).toBe(false);
  });
});
