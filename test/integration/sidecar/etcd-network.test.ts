/** Endpoints that go, connections that only look alive, consumers that take nothing. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Etcd3 } from "etcd3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Etcd,
  EtcdError,
  type EtcdWatch,
  prefixEnd,
  type TxnOp,
} from "../../../sidecar/etcd/etcd.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { startFaultProxy } from "../../harness/fault-proxy.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import { waitFor } from "../../harness/wait-for.js";

const MIB = 1024 * 1024;

describe("the etcd client on a bad network", { timeout: 60_000 }, () => {
  let server: EtcdServer;
  let direct: Etcd;
  beforeAll(async () => {
    server = await startEtcd();
    direct = await openRealEtcd(server.endpoint);
  });
  afterAll(async () => {
    await direct.close();
    await server.stop();
  });

  it("goes on with the other endpoint when one is gone, calls and watches", async () => {
    const [one, two] = [await proxied(), await proxied()];
    const etcd = await openRealEtcd([one.url, two.url].map(plain));
    const over = new AbortController();
    const from = (await write(etcd, put("/fail-over/a"))) + 1n;
    const watch = etcd.watch({ range: prefix("/fail-over/"), from, signal: over.signal });
    const seen: string[] = [];
    const watching = (async () => {
      for await (const item of watch) {
        if (item.kind === "events") seen.push(...item.events.map(({ kv }) => kv.key));
      }
    })();
    await write(etcd, put("/fail-over/b"));
    await waitFor(() => seen.length === 1, { what: "the first event" });

    const [used, other] = one.open > 0 ? [one, two] : [two, one];
    await used.close();

    await waitFor(async () => write(etcd, put("/fail-over/c")), { what: "a write" });
    await waitFor(() => seen.includes("/fail-over/c"), { what: "the event of the other endpoint" });
    expect(other.accepted).toBeGreaterThan(0);
    over.abort();
    await watching;
    await etcd.close();
    await other.close();
  });

  it("says that a write's outcome is unknown when the connection breaks under it", async () => {
    const proxy = await proxied();
    const etcd = await openRealEtcd(plain(proxy.url));
    await write(etcd, put("/unknown/a"));
    proxy.blackhole("to-client");

    const lost = write(etcd, put("/unknown/b")).catch((error: unknown) => error);
    await waitFor(async () => (await direct.range({ key: "/unknown/b" }, live())).count === 1n, {
      what: "the write to be done",
    });
    proxy.cut();

    expect(await lost).toMatchObject({ name: "EtcdError", kind: "unknown-outcome" });
    await etcd.close();
    await proxy.close();
  });

  it("would have sent that write again with npm etcd3, behind the caller's back", async () => {
    const proxy = await proxied();
    const etcd3 = new Etcd3({ hosts: plain(proxy.url) });
    await etcd3.get("/repeated/a");
    proxy.blackhole("to-client");

    const writing = etcd3.put("/repeated/a").value("x").exec();
    await waitFor(async () => (await direct.range({ key: "/repeated/a" }, live())).count === 1n, {
      what: "the write to be done",
    });
    proxy.pass();
    proxy.cut();
    await writing;

    const [kv] = (await direct.range({ key: "/repeated/a" }, live())).kvs;
    expect(kv?.version).toBe(2n);
    etcd3.close();
    await proxy.close();
  });

  it("says that nothing happened when there was no connection", async () => {
    const proxy = await proxied();
    const etcd = await openRealEtcd(plain(proxy.url), { dialTimeoutMs: 300 });
    proxy.refuse();

    const refused = await write(etcd, put("/unavailable/a")).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(EtcdError);
    expect(refused).toMatchObject({ kind: "unavailable" });
    await etcd.close();
    await proxy.close();
  });

  it("notices a watch whose connection is half-dead, and goes on without a gap", async () => {
    const proxy = await proxied();
    const options = { keepaliveTimeMs: 5_000, keepaliveTimeoutMs: 1_000 };
    const etcd = await openRealEtcd(plain(proxy.url), options);
    const over = new AbortController();
    const from = (await direct.revision(live())).revision + 1n;
    const watch = etcd.watch({ range: prefix("/half-dead/"), from, signal: over.signal });
    const iterator = watch[Symbol.asyncIterator]();
    const beforeIt = iterator.next();
    await write(direct, put("/half-dead/a"));
    await beforeIt;

    const next = iterator.next();
    proxy.blackhole();
    await write(direct, put("/half-dead/b"));
    await waitFor(() => proxy.accepted > 1, { what: "a new connection", timeoutMs: 20_000 });
    proxy.pass();
    proxy.cut(); // the old one would deliver late what the new one delivers

    expect((await next).value).toEqual({ kind: "reconnected" });
    expect((await iterator.next()).value).toMatchObject({
      events: [{ kv: { key: "/half-dead/b" } }],
    });
    over.abort();
    await iterator.next();
    await etcd.close();
    await proxy.close();
  });

  it("does not grow while a watch's consumer takes nothing of 160 MB", async () => {
    const from = (await direct.revision(live())).revision + 1n;
    const over = new AbortController();
    const etcd = await openRealEtcd(server.endpoint);
    const watch = etcd.watch({ range: prefix("/flood/"), from, signal: over.signal });
    const iterator = watch[Symbol.asyncIterator]();
    const first = iterator.next();
    const flood = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at++) await write(direct, put(`/flood/${at % 20}`, MIB));
    };
    await flood(1);
    await first;
    const before = heldMib();

    await flood(160);

    // Whoever reads has all of it by now: one that does not pause would hold all of it.
    const reader = etcd.watch({ range: prefix("/flood/"), from: from + 1n, signal: over.signal });
    expect(await countEvents(reader, 160)).toBe(160);
    await waitFor(() => heldMib() - before < 48, { what: "no more than 48 MiB to be held" });
    expect(await countEvents({ [Symbol.asyncIterator]: () => iterator }, 160)).toBe(160);
    over.abort();
    await etcd.close();
  });

  async function proxied(): ReturnType<typeof startFaultProxy> {
    return startFaultProxy({ host: "127.0.0.1", port: server.port });
  }
});

/** Buffers that are in use, after a collection of garbage. */
function heldMib(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().arrayBuffers / MIB;
}

/** Reads until so many have come. */
async function countEvents(watch: EtcdWatch, enough: number): Promise<number> {
  let events = 0;
  for await (const item of watch) {
    if (item.kind === "events") events += item.events.length;
    if (events >= enough) break;
  }
  return events;
}

/** The proxy's URL says https, as control planes want it. */
function plain(url: string): string {
  return url.replace("https:", "http:");
}

function prefix(text: string): { readonly key: string; readonly rangeEnd: string } {
  return { key: text, rangeEnd: prefixEnd(text) };
}

async function write(etcd: Etcd, op: TxnOp): Promise<bigint> {
  return (await etcd.txn({ compare: [], then: [op], otherwise: [] }, live())).header.revision;
}

function put(key: string, bytes = 10): TxnOp {
  return { kind: "put", key, value: Buffer.alloc(bytes, "x") };
}

function live(): { readonly signal: AbortSignal } {
  return { signal: new AbortController().signal };
}
