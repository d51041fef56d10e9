/** A real watch through a network that breaks. */
import { Etcd3 } from "etcd3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Etcd, prefixEnd, type TxnOp, WatchCompacted } from "../../../sidecar/etcd/etcd.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { type FaultProxy, startFaultProxy } from "../../harness/fault-proxy.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import { waitFor } from "../../harness/wait-for.js";

const REVISIONS = 30_000;
/** 30,000 events of 200 bytes are 8 MB: some ten cuts. */
const CUT_EVERY_EVENTS = 3_000;

describe("a watch that starts 30,000 revisions back", { timeout: 60_000 }, () => {
  const prefix = "/history/";
  const range = { key: prefix, rangeEnd: prefixEnd(prefix) };
  let server: EtcdServer;
  let writer: Etcd;
  let proxy: FaultProxy;
  let first: bigint;

  beforeAll(async () => {
    server = await startEtcd();
    writer = await openRealEtcd(server.endpoint);
    first = (await writer.revision(live())).revision + 1n;
    await writeHistory(writer, prefix);
  });
  afterAll(async () => {
    await writer.close();
    await server.stop();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy({ host: "127.0.0.1", port: server.port });
  });
  afterEach(async () => proxy.close());

  it("delivers each event once and in order, over several cuts", async () => {
    const etcd = await openRealEtcd(`http://127.0.0.1:${proxy.port}`);
    const over = new AbortController();
    const revisions: bigint[] = [];
    let cuts = 0;
    let reconnections = 0;

    for await (const item of etcd.watch({ range, from: first, signal: over.signal })) {
      if (item.kind === "reconnected") reconnections++;
      if (item.kind !== "events") continue;
      revisions.push(...item.events.map(({ kv }) => kv.modRevision));
      if (revisions.length >= (cuts + 1) * CUT_EVERY_EVENTS) {
        cuts++;
        proxy.cut();
      }
      if (revisions.length >= REVISIONS) over.abort();
    }

    const expected = Array.from({ length: REVISIONS }, (_, at) => first + BigInt(at));
    expect(revisions).toEqual(expected);
    expect(cuts).toBeGreaterThanOrEqual(8);
    expect(reconnections).toBeGreaterThanOrEqual(5);
    await etcd.close();
  });

  it("loses events with the Watcher of npm etcd3, which is why that one is not used", async () => {
    const etcd3 = new Etcd3({ hosts: `http://127.0.0.1:${proxy.port}` });
    const seen = new Set<string>();
    let cut = false;

    const watcher = await etcd3.watch().prefix(prefix).startRevision(String(first)).create();
    watcher.on("error", () => {});
    watcher.on("data", ({ events }) => {
      for (const { kv } of events) seen.add(kv.mod_revision);
      if (!cut) proxy.cut();
      cut = true;
    });

    // It is alive again: what happens now arrives, but what was missed does not.
    await waitFor(
      async () => {
        await writer.txn({ compare: [], then: [put(`${prefix}now`)], otherwise: [] }, live());
        return [...seen].some((revision) => BigInt(revision) >= first + BigInt(REVISIONS));
      },
      { what: "a new event", everyMs: 200 },
    );
    expect(seen.size).toBeLessThan(REVISIONS);
    await watcher.cancel();
    etcd3.close();
  });

  it("ends with WatchCompacted when its place was compacted away while it was cut", async () => {
    const etcd = await openRealEtcd(`http://127.0.0.1:${proxy.port}`);
    const over = new AbortController();
    const watch = etcd.watch({ range, from: first, signal: over.signal });
    const iterator = watch[Symbol.asyncIterator]();
    await iterator.next();
    proxy.refuse();
    proxy.cut();
    const { revision } = await writer.revision(live());

    await writer.compact(revision, live());
    proxy.pass();

    const rest = (async () => {
      for (;;) if ((await iterator.next()).done === true) return;
    })();
    await expect(rest).rejects.toThrow(WatchCompacted);
    await expect(rest).rejects.toMatchObject({ compactRevision: revision });
    await etcd.close();
  });
});

/** One revision an event, written 100 at a time. */
async function writeHistory(etcd: Etcd, prefix: string): Promise<void> {
  for (let at = 0; at < REVISIONS; at += 100) {
    const puts = Array.from({ length: 100 }, (_, offset) => put(`${prefix}${(at + offset) % 500}`));
    await Promise.all(
      puts.map(async (op) => etcd.txn({ compare: [], then: [op], otherwise: [] }, live())),
    );
  }
}

function put(key: string): TxnOp {
  return { kind: "put", key, value: Buffer.alloc(200, "x") };
}

function live(): { readonly signal: AbortSignal } {
  return { signal: new AbortController().signal };
}
