import { setTimeout as sleep } from "node:timers/promises";
import { etcdContract } from "../../contract/etcd-contract.js";
import { startEtcd } from "../../controlplane/etcd-server.js";
import { openRealEtcd } from "../../harness/open-etcd.js";

etcdContract("the adapter on a real server", async () => {
  const server = await startEtcd();
  const etcd = await openRealEtcd(server.endpoint);
  const cleanup = async (): Promise<void> => {
    await etcd.close();
    await server.stop();
  };
  return { etcd, pass: (ms) => sleep(ms), cleanup };
});
