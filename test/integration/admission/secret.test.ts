import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parseSecret } from "../../../certs/secret-content.js";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { CertificateSecret } from "../../harness/certificate-secret.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service } from "../../harness/manifests.js";
import { Newcomer } from "../../harness/newcomer.js";
import { SteadyLoad } from "../../harness/steady-load.js";
import { waitFor } from "../../harness/wait-for.js";

const NAMES = ["web-0", "web-1", "web-2", "web-3"];

let bed: AdmissionBed;
let secret: CertificateSecret;

beforeAll(async () => {
  bed = await openAdmissionBed();
  for (const name of NAMES) await bed.source.create(service(bed.src.namespace, name));
  await bed.install("Fail");
  secret = new CertificateSecret(bed.src);
});
afterAll(async () => bed.close());
afterEach(async () => bed.stopRuns());

/** What somebody does to the Secret, and what replicas say of it. */
const TROUBLES: readonly (readonly [what: string, refusal: string, make: () => Promise<void>])[] = [
  ["a leaf that has ended", "ended", async () => secret.end()],
  ["what is no certificate", "unreadable", async () => secret.corrupt()],
  ["the key of another", "mismatched", async () => secret.mismatch()],
  ["nothing, for it was deleted", "missing", async () => secret.remove()],
  [
    "another type and what is somebody else's",
    "not-accepted",
    async () => secret.replaceByForeign(),
  ],
];

interface Asked {
  readonly load: SteadyLoad;
  /** Changes that the API server did not let pass, and what one that connects anew did not take. */
  readonly failures: readonly unknown[];
}

/** From now on changes are made all the time, and each time somebody connects anew to this replica. */
async function asked(replica: FerryRun): Promise<Asked> {
  const { namespace } = bed.src;
  const newcomer = new Newcomer(bed.source, bed.configuration);
  const failures: unknown[] = [];
  const load = new SteadyLoad(
    async (number) => {
      const path = `/api/v1/namespaces/${namespace}/services/${NAMES[number % NAMES.length]}`;
      const patch = { spec: { ports: [{ port: 1_000 + number }] } };
      const type = "application/merge-patch+json";
      const { status, body } = await bed.source.request("PATCH", path, patch, type);
      const refusal = await newcomer.refusal(replica);
      if (status !== 200) failures.push(body);
      if (refusal !== undefined) failures.push(refusal);
    },
    { perSecond: 20, atOnce: 2 },
  );
  onTestFinished(async () => load.stop());
  load.start();
  await answers(load);
  return { load, failures };
}

/** Resolves when what is asked from now on has been answered. */
async function answers(load: SteadyLoad): Promise<void> {
  const { sent } = load;
  await waitFor(() => load.sent >= sent + 10, { what: "answers" });
  await load.hold();
  load.resume();
}

async function refused(replica: FerryRun, reason: string): Promise<void> {
  const labels = { kind: "serving", reason };
  await waitFor(
    async () => ((await replica.metric("svc_ferry_certificates_refused_total", labels)) ?? 0) > 0,
    { what: `${replica.podName} to refuse what is ${reason}` },
  );
}

async function taken(replica: FerryRun): Promise<number> {
  return (await replica.metric("svc_ferry_certificates_taken_total", { kind: "serving" })) ?? 0;
}

/** Resolves when the Secret is whole again, and the replica uses what it holds. */
async function healed(replica: FerryRun, takenBefore: number): Promise<void> {
  await waitFor(async () => (await taken(replica)) > takenBefore, {
    what: `${replica.podName} to take a new certificate`,
    timeoutMs: 40_000,
  });
  const { leaves, signer, stampKeys } = parseSecret(await secret.read());
  expect([leaves.serving, leaves["hand-off"], signer, stampKeys]).not.toContain(undefined);
}

describe("a Secret of certificates that holds", () => {
  it.each(TROUBLES)(
    "%s: the old certificate serves on, log and metric tell (%s), and the leader mends it",
    async (_, reason, make) => {
      const leader = await bed.run({ makesSecret: true });
      await bed.route(leader);
      const { load, failures } = await asked(leader);
      const before = await taken(leader);

      await make();
      await refused(leader, reason);
      await healed(leader, before);
      await answers(load);

      expect(failures).toEqual([]);
      const [line] = leader.logged("certificate refused, the last good one stays in use");
      expect(line).toMatchObject({ level: "warn", certificate: "serving" });
      expect((await leader.get("/ready/webhook")).status).toBe(200);
      expect(await leader.metric("svc_ferry_ca_bundle_match")).toBe(2);
    },
  );

  it("one trouble after the other while nobody leads: a follower serves on with what it has, until there is a leader again", async () => {
    const flags = { leaseDuration: "3s", renewDeadline: "2s", retryPeriod: "100ms" };
    const leader = await bed.run({ flags, makesSecret: true });
    const follower = await bed.launch({ flags });
    await bed.route(follower);
    const { load, failures } = await asked(follower);
    const before = await taken(follower);
    await pauseLeaders([leader, follower]);

    const whole = await secret.read();
    for (const [, reason, make] of TROUBLES) {
      if (whole !== undefined) await secret.putBack(whole);
      await make();
      await refused(follower, reason);
      await answers(load);
    }
    const newest = await bed.launch({ flags });
    await newest.untilLogged("no certificate yet");
    const [ready, notReady] = await Promise.all(
      [follower, newest].map(async (run) => run.get("/ready/webhook")),
    );
    await bed.src.patch("Lease", "ferry", { spec: { holderIdentity: "" } });
    await healed(follower, before);
    await answers(load);
    await waitFor(async () => (await newest.get("/ready/webhook")).status === 200, {
      what: "the newest replica to be ready",
    });

    expect(failures).toEqual([]);
    expect(ready?.status).toBe(200);
    expect(notReady?.status).toBe(503);
    expect(notReady?.text).toContain("certificate");
  });
});

/** The Lease goes to nobody. On a busy machine it may have changed hands before. */
async function pauseLeaders(runs: readonly FerryRun[]): Promise<void> {
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  const spec = { holderIdentity: "nobody", leaseDurationSeconds: 3_600, renewTime };
  await bed.src.patch("Lease", "ferry", { spec });
  for (const run of runs) {
    await waitFor(async () => (await run.status()).role === "follower", {
      what: `${run.podName} to lead no more`,
    });
  }
}
