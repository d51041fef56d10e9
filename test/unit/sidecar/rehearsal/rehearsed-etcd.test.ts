import { describe, expect, it } from "vitest";
import { transaction } from "../../../../sidecar/etcd/transaction.js";
import type { Txn, TxnOp } from "../../../../sidecar/etcd/etcd.js";
import { Keyspace } from "../../../../sidecar/link/keyspace.js";
import { RehearsedEtcd } from "../../../../sidecar/rehearsal/rehearsed-etcd.js";
import { FakeEtcd } from "../../../fakes/fake-etcd.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const CALL = { signal: new AbortController().signal };
const DATA = "/registry/configmaps/a/b";

function put(key: string, value = "v"): TxnOp {
  return { kind: "put", key, value: Buffer.from(value) };
}

function get(key: string): TxnOp {
  return { kind: "get", key };
}

async function scene() {
  const real = new FakeEtcd(new VirtualClock());
  const keys = new Keyspace("mirror");
  await real.txn(transaction([], [put(keys.fence, "pod-1"), put(keys.own("x"), "old")], []), CALL);
  real.takeTxns();
  const told: Txn[] = [];
  const rehearsed = new RehearsedEtcd({
    etcd: real,
    keys,
    keeps: (key) => key.startsWith("/registry/namespaces/"),
    onWrite: (txn) => void told.push(txn),
  });
  const valueOf = async (key: string): Promise<string | undefined> =>
    (await rehearsed.range({ key }, CALL)).kvs[0]?.value.toString();
  return { real, rehearsed, keys, told, valueOf };
}

describe("RehearsedEtcd", () => {
  it("tells what would be written, and writes nothing", async () => {
    const { real, rehearsed, keys, told } = await scene();
    const before = real.header.revision;
    const txn = transaction(
      [{ key: DATA, target: "mod", is: "=", value: 0n }],
      [put(DATA), put(keys.own("configmaps/a/b"))],
      [get(DATA)],
    );

    const done = await rehearsed.txn(txn, CALL);

    expect(done.succeeded).toBe(true);
    expect(done.header.revision).toBeGreaterThan(before);
    expect(told).toEqual([txn]);
    expect(real.header.revision).toBe(before);
    expect(real.takeTxns().flatMap((one) => one.then)).toEqual([]);
  });

  it("compares as the etcd is, and answers with the other branch when that does not hold", async () => {
    const { rehearsed, keys, told } = await scene();

    const refused = await rehearsed.txn(
      transaction(
        [{ key: keys.own("x"), target: "mod", is: "=", value: 0n }],
        [put(keys.own("x"))],
        [get(keys.own("x"))],
      ),
      CALL,
    );

    expect(refused.succeeded).toBe(false);
    expect(refused.results).toMatchObject([{ kind: "get", kvs: [{ value: Buffer.from("old") }] }]);
    expect(told).toEqual([]);
  });

  it("sees its own writes to the books, in single keys, ranges and compares", async () => {
    const { rehearsed, keys, valueOf } = await scene();
    const path = "configmaps/a/b";

    const written = await rehearsed.txn(
      transaction([], [put(keys.own(path), "new"), { kind: "delete", key: keys.own("x") }], []),
      CALL,
    );
    const range = { key: keys.ownPrefix, rangeEnd: `${keys.base}own0` };
    const all = await rehearsed.range(range, CALL);
    const compared = await rehearsed.txn(
      transaction(
        [{ key: keys.own(path), target: "mod", is: "=", value: written.header.revision }],
        [put(keys.own(path), "newer")],
        [get(keys.own(path))],
      ),
      CALL,
    );

    expect(all.kvs.map(({ key }) => key)).toEqual([keys.own(path)]);
    expect(compared.succeeded).toBe(true);
    expect(await valueOf(keys.own(path))).toBe("newer");
    expect(await valueOf(keys.own("x"))).toBeUndefined();
  });

  it("keeps objects in mind only when something of them is owed, or others stand on them", async () => {
    const { rehearsed, keys, valueOf } = await scene();
    const namespace = "/registry/namespaces/a";
    const owed = "/registry/configmaps/a/owed";

    await rehearsed.txn(transaction([], [put(DATA)], []), CALL);
    await rehearsed.txn(
      transaction([], [put(owed), put(keys.debt("configmaps/a/owed"), "1 owner-missing 0 1")], []),
      CALL,
    );

    await rehearsed.txn(transaction([], [put(namespace)], []), CALL);

    expect(await valueOf(DATA)).toBeUndefined();
    expect(await valueOf(namespace)).toBe("v");
    expect(await valueOf(owed)).toBe("v");
  });

  it("goes on to the next page when everything of one is gone", async () => {
    const { rehearsed, keys } = await scene();
    await rehearsed.txn(transaction([], [put(keys.own("y")), put(keys.own("z"))], []), CALL);
    await rehearsed.txn(transaction([], [{ kind: "delete", key: keys.own("x") }], []), CALL);
    const range = { key: keys.ownPrefix, rangeEnd: `${keys.base}own0`, limit: 1 };

    expect((await rehearsed.range(range, CALL)).kvs.map(({ key }) => key)).toContain(keys.own("y"));
  });

  it("takes the fence beside whoever really holds it", async () => {
    const { real, rehearsed, keys, valueOf } = await scene();
    const lease = await rehearsed.grantLease(10);
    expect(await valueOf(keys.fence)).toBeUndefined();

    const taken = await rehearsed.txn(
      transaction(
        [{ key: keys.fence, target: "create", is: "=", value: 0n }],
        [{ kind: "put", key: keys.fence, value: Buffer.from("plan"), lease: lease.id }],
        [get(keys.fence)],
      ),
      CALL,
    );

    expect(taken.succeeded).toBe(true);
    expect(await valueOf(keys.fence)).toBe("plan");
    expect((await real.range({ key: keys.fence }, CALL)).kvs[0]?.value.toString()).toBe("pod-1");
    expect(await rehearsed.keepAlive()).toBeGreaterThan(0);
  });

  it("holds what it is told to pretend", async () => {
    const { rehearsed, keys, valueOf } = await scene();

    rehearsed.pretend(keys.state, Buffer.from("{}"), 5n);

    expect(await valueOf(keys.state)).toBe("{}");
  });
});
