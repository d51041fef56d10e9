/** `svc-ferry mirror doctor` on real etcds: what only they can tell, rights and room. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FirstCopy, spaceFor } from "../../../sidecar/doctor/first-copy.js";
import { roomOf } from "../../../sidecar/doctor/space-check.js";
import { PLAIN } from "../../../sidecar/encryption/encryption.js";
import { examineMirror } from "../../../sidecar/mirror-doctor.js";
import { SystemParts } from "../../../sidecar/system-parts.js";
import type { Flags } from "../../../src/config/given.js";
import { loadMirrorConfig } from "../../../src/config/mirror-load.js";
import { SystemClock } from "../../../src/runtime/system-clock.js";
import { SystemRandom } from "../../../src/runtime/system-random.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { SILENT_LOG } from "../../fakes/silent-log.js";
import { rulesetOf } from "../../fixtures/mirror-rules.js";
import { MirrorPair, put } from "../../harness/mirror-pair.js";

const RULES = `
filters:
  secondary:
    - { group: "", resources: [{ group: "", version: v1, kind: ConfigMap }] }
`;
const CALL = { signal: new AbortController().signal };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "svc-ferry-doctor-"));
  await writeFile(join(folder, "rules.yaml"), RULES);
  await writeFile(join(folder, "password"), "secret\n");
});
afterAll(() => rm(folder, { recursive: true }));

/** Results and messages by id. */
async function examined(flags: Flags): Promise<Readonly<Record<string, string>>> {
  const loaded = loadMirrorConfig({
    flags: { mirrorRule: join(folder, "rules.yaml"), ...flags },
    env: { HOSTNAME: "pod-1" },
    readFile: () => "",
  });
  if (loaded.kind === "invalid") throw new Error("the settings are invalid");
  const { config } = loaded;
  const around = { clock: new SystemClock(), log: SILENT_LOG };
  const parts = new SystemParts({ ...around, random: new SystemRandom(), config });
  const question = { only: [], skip: [], waitMs: 0 };
  const inspect = async (): Promise<never> => Promise.reject(new Error("there is no API server"));
  const doctor = { ...around, config, parts, version: "1.2.3", inspect };
  const answer = await examineMirror(doctor, question, CALL.signal);
  if (answer.kind !== "report") throw new Error("there was no report");
  return Object.fromEntries(
    answer.report.checks.map(({ id, result, message }) => [id, `${result}: ${message}`]),
  );
}

/** A user with one role, which may do this: etcdctl's words. */
async function addUser(
  server: EtcdServer,
  name: string,
  ...grants: readonly string[]
): Promise<void> {
  await server.etcdctl(["user", "add", `${name}:secret`]);
  await server.etcdctl(["role", "add", name]);
  for (const grant of grants) {
    await server.etcdctl(["role", "grant-permission", name, ...grant.split(" ")]);
  }
  await server.etcdctl(["user", "grant-role", name, name]);
}

describe("mirror doctor on etcds with users", { timeout: 60_000 }, () => {
  it("finds the rights of docs/mirror.md enough, more in the source a reason to look, fewer a failure, and writes nothing", async () => {
    const [a, b] = await Promise.all([startEtcd({ name: "a" }), startEtcd({ name: "b" })]);
    await Promise.all([a.enableAuth("secret"), b.enableAuth("secret")]);
    const read = ["--prefix=true read /registry/", "--prefix=true read /svc-ferry/"];
    await addUser(a, "reader", ...read);
    const write = read.map((grant) => grant.replace("read ", "readwrite "));
    await addUser(b, "writer", ...write, "read compact_rev_key");
    await b.etcdctl(["user", "add", "nobody:secret"]);
    const passwords = {
      sourcePasswordFile: join(folder, "password"),
      destPasswordFile: join(folder, "password"),
    };
    const sides = { sourceEndpoints: a.endpoint, destEndpoints: b.endpoint, ...passwords };

    const right = await examined({ ...sides, sourceUser: "reader", destUser: "writer" });
    const wrong = await examined({ ...sides, sourceUser: "root", destUser: "nobody" });

    const failed = Object.entries(right).filter(([, text]) => !/^(?:ok|skip): /.test(text));
    expect(failed).toEqual([]);
    expect(right).toMatchObject({
      "src-etcd-rights": "ok: user reader has the rights that the mirror needs",
      "dst-etcd-rights": "ok: user writer has the rights that the mirror needs",
      "dst-etcd-transactions": "ok: it takes transactions of several operations",
      "dst-etcd-space": "skip: etcd tells it to users with the role root only",
    });
    expect(wrong).toMatchObject({
      "src-etcd-rights": "warn: user root may write below /registry/, and a source is only read",
      "dst-etcd-rights":
        "fail: user nobody may not read and write below /registry/, read and write below /svc-ferry/, read compact_rev_key",
      "dst-etcd-transactions": "skip: waits for dst-etcd-rights",
    });
    for (const server of [a, b]) {
      expect(await server.etcdctl(["get", "", "--prefix", "--keys-only"])).toBe("");
      await server.stop();
    }
  });
});

describe("the room for a first copy", { timeout: 60_000 }, () => {
  it("is estimated larger than what a copy takes, and not many times larger", async () => {
    const pair = await MirrorPair.start();
    const data = { text: "x".repeat(1_400) };
    await pair.write(pair.destination, put("namespaces/shop"));
    for (let at = 0; at < 1_000; at += 100) {
      const some = Array.from({ length: 100 }, (_, i) =>
        put(`configmaps/shop/c${at + i}`, { data }),
      );
      await pair.write(pair.source, ...some);
    }
    const rules = rulesetOf(RULES);
    const around = { clock: new SystemClock(), log: SILENT_LOG };
    const { source } = pair;
    const copy = new FirstCopy({
      ...{ source, sourcePrefix: "/registry", encryption: PLAIN, rules },
      ...around,
    });
    const estimated = spaceFor(await copy.atMost(CALL.signal));
    const before = roomOf(await pair.destination.members(CALL)).inUse;

    await pair.follow({ rules: RULES });

    const taken = roomOf(await pair.destination.members(CALL)).inUse - before;
    expect(taken).toBeGreaterThan(estimated / 4);
    expect(taken).toBeLessThan(estimated);
    await pair.stop();
  });
});
