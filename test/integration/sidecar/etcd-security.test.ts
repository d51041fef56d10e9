/** Certificates, users, and servers that refuse. */
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { probe } from "../../../sidecar/etcd/capability.js";
import { type Etcd, prefixEnd } from "../../../sidecar/etcd/etcd.js";
import { Writer } from "../../../sidecar/etcd/protobuf-writer.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { freePort } from "../../controlplane/free-port.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import { waitFor } from "../../harness/wait-for.js";
import { RecordingLog } from "../../unit/src/kube/fixture/recording-log.js";

const ALL = { key: "/k/", rangeEnd: prefixEnd("/k/") };

describe("an etcd with TLS", { timeout: 60_000 }, () => {
  it("is reached with new certificates after they changed on disk, without a lost call", async () => {
    const server = await startEtcd({ name: "secured", tls: true });
    const { tls } = server;
    if (tls === undefined) throw new Error("no TLS");
    const log = new RecordingLog();
    const files = { ca: tls.ca, cert: tls.cert, key: tls.key, skipVerify: false };
    const etcd = await openRealEtcd(server.endpoint, { tls: files }, { log, tlsCheckMs: 100 });
    const messages = (): readonly string[] => log.records.map(({ message }) => message);
    const writing = keepWriting(etcd);

    tls.spoilClient();
    await waitFor(() => messages().some((text) => text.includes("do not connect")), {
      what: "the refusal of a stranger's certificate",
    });
    tls.renewClient();
    await waitFor(() => messages().includes("new etcd certificates are in use"), {
      what: "the new certificate",
    });

    const { done, failed } = await writing.stop();
    expect(failed).toEqual([]);
    expect(done).toBeGreaterThan(10);
    await etcd.close();
    await server.stop();
  });

  it("is not spoken to when its certificate is of another CA, unless that is asked for", async () => {
    const [server, other] = await Promise.all([
      startEtcd({ name: "secured", tls: true }),
      startEtcd({ name: "other", tls: true }),
    ]);
    const { tls, endpoint } = server;
    if (tls === undefined || other.tls === undefined) throw new Error("no TLS");
    const files = { ca: other.tls.ca, cert: tls.cert, key: tls.key };

    const strict = await openRealEtcd(endpoint, { tls: { ...files, skipVerify: false } });
    const loose = await openRealEtcd(endpoint, { tls: { ...files, skipVerify: true } });

    await expect(strict.revision(live())).rejects.toMatchObject({ kind: "unavailable" });
    expect((await loose.revision(live())).revision).toBe(1n);
    await Promise.all([strict.close(), loose.close(), server.stop(), other.stop()]);
  });
});

describe("an etcd with users", { timeout: 60_000 }, () => {
  it("is called and watched on after the token expired, and says what is not permitted", async () => {
    const server = await startEtcd({ name: "users", extraArgs: ["--auth-token-ttl=1"] });
    await server.enableAuth("root-secret");
    await addMirror(server);
    const user = { name: "mirror", password: async () => "secret" };
    const etcd = await openRealEtcd(server.endpoint, { user, readableKey: "/k/" });
    expect(await etcd.revision(live())).toMatchObject({ revision: 1n });
    const from = (await write(etcd, "/k/a")) + 1n;
    const over = new AbortController();
    const iterator = etcd.watch({ range: ALL, from, signal: over.signal })[Symbol.asyncIterator]();

    await sleep(3_000); // the token lives for one second and is dropped by a tick of one second

    await write(etcd, "/k/b");
    expect((await iterator.next()).value).toMatchObject({ events: [{ kv: { key: "/k/b" } }] });
    await expect(write(etcd, "/elsewhere")).rejects.toMatchObject({ kind: "permission" });
    const foreign = { range: { key: "/x", rangeEnd: "/y" }, from: 1n, signal: over.signal };
    const refused = etcd.watch(foreign)[Symbol.asyncIterator]().next();
    await expect(refused).rejects.toMatchObject({ kind: "permission" });
    // Whoever changes users or roles makes every token old.
    await server.etcdctl(["user", "add", "another:secret"]);
    await write(etcd, "/k/c");
    over.abort();
    await etcd.close();
    await server.stop();
  });

  it("does not take a wrong password, which is no reason to try again", async () => {
    const server = await startEtcd({ name: "users" });
    await server.enableAuth("root-secret");
    const etcd = await openRealEtcd(server.endpoint, {
      user: { name: "root", password: async () => "no" },
    });
    const nobody = await openRealEtcd(server.endpoint);

    await expect(etcd.range(ALL, live())).rejects.toMatchObject({ kind: "auth" });
    await expect(nobody.range(ALL, live())).rejects.toMatchObject({ kind: "auth" });
    await Promise.all([etcd.close(), nobody.close(), server.stop()]);
  });
});

describe("an etcd without space", { timeout: 60_000 }, () => {
  it("refuses writes as no-space, tells the alarm, and takes them again after it", async () => {
    const server = await startEtcd({ name: "full", quotaBackendBytes: 4 * 1024 * 1024 });
    const etcd = await openRealEtcd(server.endpoint);
    const fill = async (): Promise<void> => {
      for (let at = 0; at < 30; at++) await write(etcd, `/k/${at}`, 500_000);
    };

    await expect(fill()).rejects.toMatchObject({ kind: "no-space" });

    const [member] = await etcd.members(live());
    expect(member?.errors.join()).toContain("NOSPACE");
    expect(member?.dbSizeQuotaBytes).toBe(4n * 1024n * 1024n);
    await expect(etcd.grantLease(10, live())).rejects.toMatchObject({ kind: "no-space" });
    await makeSpace(server, etcd);
    await write(etcd, "/k/0", 10);
    await etcd.close();
    await server.stop();
  });
});

describe("an etcd of another cluster behind the same endpoints", { timeout: 60_000 }, () => {
  it("is refused", async () => {
    const [one, two] = await Promise.all([startEtcd({ name: "one" }), startEtcd({ name: "two" })]);
    const both = await openRealEtcd([one.endpoint, two.endpoint]);
    await both.revision(live());
    const expecting = await openRealEtcd(two.endpoint, { expectedClusterId: 1n });

    await one.stop();

    await expect(both.revision(live())).rejects.toMatchObject({ kind: "cluster-changed" });
    await expect(expecting.revision(live())).rejects.toMatchObject({ kind: "cluster-changed" });
    await Promise.all([both.close(), expecting.close(), two.stop()]);
  });
});

describe("a backend that speaks etcd's protocol but not its transactions", () => {
  it("is refused by the probe", async () => {
    const { address, stop } = await startKineLike();
    const etcd = await openRealEtcd(`http://${address}`, { name: "destination" });

    const capability = await probe(etcd, "destination", live());

    expect(capability).toMatchObject({ kind: "refused" });
    await etcd.close();
    stop();
  });
});

/** A writer in the background, whose every call counts. */
function keepWriting(etcd: Etcd): {
  stop(): Promise<{ readonly done: number; readonly failed: readonly unknown[] }>;
} {
  let stopped = false;
  const writing = (async () => {
    const failed: unknown[] = [];
    let done = 0;
    for (; !stopped; done++) {
      await write(etcd, "/k/a").catch((error: unknown) => failed.push(error));
      await sleep(5);
    }
    return { done, failed };
  })();
  return {
    stop: async () => {
      stopped = true;
      return writing;
    },
  };
}

async function addMirror(server: EtcdServer): Promise<void> {
  await server.etcdctl(["user", "add", "mirror:secret"]);
  await server.etcdctl(["role", "add", "mirror"]);
  await server.etcdctl(["role", "grant-permission", "mirror", "readwrite", "--prefix", "/k/"]);
  await server.etcdctl(["user", "grant-role", "mirror", "mirror"]);
}

async function makeSpace(server: EtcdServer, etcd: Etcd): Promise<void> {
  const txn = { compare: [], then: [{ kind: "delete", ...ALL }], otherwise: [] } as const;
  const { header } = await etcd.txn(txn, live());
  await server.etcdctl(["compact", "--physical", String(header.revision)]);
  await server.etcdctl(["defrag"]);
  await server.etcdctl(["alarm", "disarm"]);
}

/** Answers Status as etcd does and every transaction as kine does. */
async function startKineLike(): Promise<{ readonly address: string; stop(): void }> {
  const server = new Server();
  const method = (path: string) => ({
    path: `/etcdserverpb.${path}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: Buffer) => value,
    requestDeserialize: (value: Buffer) => value,
    responseSerialize: (value: Buffer) => value,
    responseDeserialize: (value: Buffer) => value,
  });
  const answer = new Writer()
    .message(1, (header) => header.int(1, 7n).int(3, 9n))
    .text(2, "3.5.13")
    .finish();
  server.addService(
    { status: method("Maintenance/Status"), txn: method("KV/Txn") },
    {
      status: (_call: unknown, callback: (error: null, answer: Buffer) => void) =>
        callback(null, answer),
      txn: (_call: unknown, callback: (error: object) => void) =>
        callback({ code: status.UNKNOWN, details: "unsupported transaction" }),
    },
  );
  const address = `127.0.0.1:${await freePort()}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { address, stop: () => server.forceShutdown() };
}

async function write(etcd: Etcd, key: string, bytes = 10): Promise<bigint> {
  const put = { kind: "put", key, value: Buffer.alloc(bytes, "x") } as const;
  return (await etcd.txn({ compare: [], then: [put], otherwise: [] }, live())).header.revision;
}

function live(): { readonly signal: AbortSignal } {
  return { signal: new AbortController().signal };
}
