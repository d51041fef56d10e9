/**
 * `npm run test:matrix:etcd`: what the mirror does with etcd, on each older etcd, with the very tests that run on the newest.
 * `-- 3.4` takes one of them.
 */
import { OLDER_ETCDS, locateOlderEtcd, type OlderEtcd } from "./older-etcd.js";
import { spawnSync } from "node:child_process";
import { environment } from "../../controlplane/environment.js";

/** The client's contract, whole mirrors beside crashes and compactions, and the commands. */
const TESTS = [
  "test/integration/sidecar/etcd-contract.test.ts",
  "test/integration/sidecar/etcd-watch.test.ts",
  "test/integration/sidecar/etcd-version.test.ts",
  "test/integration/sidecar/etcd-members.test.ts",
  "test/integration/sidecar/mirror",
  "test/integration/sidecar/mirror-command.test.ts",
  "test/integration/sidecar/runbook.test.ts",
];

const wanted = process.argv.slice(2);
for (const etcd of OLDER_ETCDS) {
  if (wanted.length > 0 && !wanted.includes(etcd.minor)) continue;
  process.stdout.write(`\netcd ${etcd.version}\n`);
  process.exitCode ||= test(etcd, await locateOlderEtcd(etcd));
}

function test({ version }: OlderEtcd, binary: string): number {
  const args = ["vitest", "run", "--project", "integration", ...TESTS];
  const env = {
    ...environment(),
    SVC_FERRY_TEST_ETCD: binary,
    SVC_FERRY_TEST_ETCD_VERSION: version,
  };
  const { status } = spawnSync("npx", args, { env, stdio: "inherit" });
  return status ?? 1;
}
