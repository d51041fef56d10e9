import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { processesNaming } from "../../harness/processes.js";
import { waitFor } from "../../harness/wait-for.js";

describe("an etcd server of the test bed", () => {
  let etcd: EtcdServer;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(async () => etcd.stop());

  it("keeps its data and its endpoint over a crash", async () => {
    await etcd.etcdctl(["put", "kept", "here"]);

    await etcd.crash();
    await etcd.start();

    expect(await etcd.etcdctl(["get", "kept", "--print-value-only"])).toBe("here\n");
  });

  it("goes back in time when a snapshot is restored", async () => {
    const path = join(etcd.dataDir, "snapshot.db");
    await etcd.etcdctl(["put", "when", "before"]);
    await etcd.snapshot(path);
    await etcd.etcdctl(["put", "when", "after"]);

    await etcd.restore(path);

    expect(await etcd.etcdctl(["get", "when", "--print-value-only"])).toBe("before\n");
  });

  it("is another cluster than the next server", async () => {
    const other = await startEtcd({ name: "other" });
    const clusterOf = async (server: EtcdServer): Promise<string | undefined> => {
      const answer = await server.etcdctl(["get", "x", "--write-out=json"]);
      return /"cluster_id":(\d+)/.exec(answer)?.[1];
    };

    expect(await clusterOf(etcd)).not.toBe(await clusterOf(other));
    await other.stop();
  });

  it("takes only clients with a certificate of its CA when TLS is asked for", async () => {
    const secured = await startEtcd({ name: "secured", tls: true });
    await secured.etcdctl(["put", "a", "1"]);

    secured.tls?.spoilClient();
    const stranger = secured.etcdctl(["--command-timeout=1s", "get", "a"]);

    await expect(stranger).rejects.toThrow(/ended with code/);
    secured.tls?.renewClient();
    expect(await secured.etcdctl(["get", "a", "--print-value-only"])).toBe("1\n");
    await secured.stop();
  });

  it("asks for a user after enableAuth", async () => {
    const guarded = await startEtcd({ name: "guarded" });

    await guarded.enableAuth("secret");

    await guarded.etcdctl(["put", "a", "1"]);
    const nobody = guarded.etcdctl(["--user", "root:wrong", "get", "a"]);
    await expect(nobody).rejects.toThrow(/invalid user ID or password/);
    await guarded.stop();
  });

  it("is gone after stop, with its folder", async () => {
    const brief = await startEtcd({ name: "brief" });

    await brief.stop();

    await waitFor(() => processesNaming(brief.dataDir).length === 0, { what: "no process" });
    expect(existsSync(brief.dataDir)).toBe(false);
  });
});
