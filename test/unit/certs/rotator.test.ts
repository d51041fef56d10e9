import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_ROTATION } from "../../../certs/rotation-settings.js";
import { parseSecret } from "../../../certs/secret-content.js";
import { CONFIGURATIONS } from "../../../certs/webhook-configuration.js";
import { SECRETS } from "../../../src/ports/kube-resources.js";
import {
  type BedOptions,
  CertificateBed,
  type Replica,
  SECRET,
} from "../../fixtures/certificate-bed.js";
import { newCa } from "../../fixtures/certificates.js";

let bed = new CertificateBed();
afterEach(() => bed.end());

/** Three replicas, of which the first leads, with both configurations installed and everything settled. */
async function running(options?: BedOptions): Promise<readonly [Replica, Replica, Replica]> {
  bed = new CertificateBed(options);
  bed.install();
  const replicas = [bed.replica("a"), bed.replica("b"), bed.replica("c")] as const;
  replicas[0].lead();
  await bed.until(() => replicas.every((replica) => bed.isAccepted(replica)));
  await bed.world.run({ forMs: 10_000 });
  return replicas;
}

/** Steps that all replicas together have written, in their order within each. */
function steps(): readonly string[] {
  return bed.replicas.flatMap(({ metrics }) => metrics.of("svc_ferry_certificate_rotations_total"));
}

const secretWrites = () =>
  bed.api.audit.entries.filter(({ resource, stateChanging, client }) => {
    return resource.plural === "secrets" && stateChanging && client !== "somebody";
  }).length;

const isAccepted = (replica: Replica): boolean => bed.isAccepted(replica);
const answers = (replica: Replica) => replica.trust.readiness().ok;

describe("Rotator", () => {
  it("makes one Secret when three replicas believe at once that they lead", async () => {
    bed = new CertificateBed({ seed: 7 });
    bed.install();
    const replicas = ["a", "b", "c"].map((name) => bed.replica(name));
    for (const replica of replicas) replica.lead();

    await bed.until(() => replicas.every((replica) => isAccepted(replica)));
    await bed.world.run({ forMs: 60_000 });

    const { cas } = parseSecret(bed.secret());
    expect(steps()).toEqual(["create unusable"]);
    expect(secretWrites()).toBe(1);
    expect(bed.bundles()).toEqual([cas, cas, cas, cas]);
    expect(new Set(replicas.map(({ reloader }) => reloader.serving.current()?.leaf.id)).size).toBe(
      1,
    );
    expect(replicas.every(answers)).toBe(true);
  });

  it("fills the Secret that the chart has made without data", async () => {
    bed = new CertificateBed();
    bed.api.create(SECRETS, { metadata: SECRET });
    const replica = bed.replica("a");

    replica.lead();
    await bed.until(() => steps().length > 0);

    expect(steps()).toEqual(["create unusable"]);
    expect(bed.secret().type).toBe("Opaque");
  });

  it("writes nothing while nothing is due, and nothing at all while it does not lead", async () => {
    await running();
    const before = bed.secret().metadata.resourceVersion;

    await bed.world.run({ forMs: 100_000 });

    expect(bed.secret().metadata.resourceVersion).toBe(before);
    expect(secretWrites()).toBe(1);
  });

  it("gives the certificate the names by which the configurations call, and follows them", async () => {
    bed = new CertificateBed();
    bed.install("https://[fd00::0:1]:9443/mutate");
    const replica = bed.replica("a");
    replica.lead();
    await bed.until(() => answers(replica));
    const first = replica.reloader.serving.current()?.leaf.names;

    const webhooks = [{ name: "c", clientConfig: { url: "https://Ferry.example:8443/x" } }];
    bed.api.patch(CONFIGURATIONS.mutating, { name: "svc-ferry" }, { webhooks });
    await bed.world.run({ forMs: 1_000 });
    await bed.until(() => answers(replica));

    expect(first).toEqual([
      "svc-ferry-webhook.k8s-sync.svc",
      "svc-ferry-webhook.k8s-sync.svc.cluster.local",
      "fd00::1",
    ]);
    expect(replica.reloader.serving.current()?.leaf.names).toContain("ferry.example");
    expect(steps()).toEqual(["create unusable", "renew names-changed"]);
  });

  it("carries a rotation through a change of leader in each of its phases", async () => {
    const [a, b, c] = await running();
    bed.api.patch(SECRETS, SECRET, {
      metadata: { annotations: { "svc-ferry.io/rotate": "ca" } },
    });
    await bed.until(() => steps().length === 2);
    a.resign();
    b.lead();
    await bed.until(() => steps().length === 3, 60_000);
    b.resign();
    c.lead();
    await bed.until(() => steps().length === 4, 60_000);

    expect(steps()).toEqual([
      "create unusable",
      "trust requested",
      "sign overlap-over",
      "prune overlap-over",
    ]);
    expect(bed.secret().metadata.annotations).toBeUndefined();
    expect([a, b, c].every(isAccepted)).toBe(true);
  });

  it.each<[string, () => void]>([
    ["is deleted", () => bed.api.delete(SECRETS, SECRET)],
    ["loses its data", () => bed.api.patch(SECRETS, SECRET, { data: null })],
    ["has a broken certificate", () => bed.change({ "tls.crt": "rubbish" })],
    ["has another's key", () => bed.change({ "tls.key": newCa().key })],
    ["has a broken bundle", () => bed.change({ "ca.crt": "-----BEGIN CERTIFICATE-----" })],
    ["has lost the CA's key", () => bed.change({ "ca.key": null })],
    ["has another CA's bundle", () => bed.change({ "ca.crt": newCa().certificate.pem })],
  ])(
    "heals when the Secret %s, and API servers accept every replica all the while",
    async (_, harm) => {
      const replicas = await running();
      const refusals = bed.refusals();

      harm();
      await bed.world.run({ forMs: 60_000 });

      const { signer, leaves, cas } = parseSecret(bed.secret());
      expect(refusals).toEqual([]);
      expect(leaves.serving?.issuer).toBe(signer?.certificate.id);
      expect(cas.map(({ id }) => id)).toContain(signer?.certificate.id);
      expect(replicas.map(({ reloader }) => reloader.serving.current()?.leaf)).toEqual(
        replicas.map(() => leaves.serving?.certificate),
      );
      expect(replicas.every(answers)).toBe(true);
    },
  );

  it("begins anew after an outage in which everything has ended", async () => {
    const replicas = await running();
    replicas[0].resign();
    await bed.world.run({ forMs: 800_000 });
    const meanwhile = replicas.map(({ trust }) => trust.readiness());

    replicas[1].lead();
    await bed.until(() => replicas.every(answers));

    expect(meanwhile[0]).toEqual({
      ok: false,
      waitingFor: ["a certificate that has not ended"],
    });
    expect(steps()).toEqual(["create unusable", "create unusable"]);
    expect(replicas[0].log.lines).toContain("error: the certificate in use has ended");
    expect(replicas.every(isAccepted)).toBe(true);
  });

  it("goes on with a Secret of another type, which nobody can change", async () => {
    bed = new CertificateBed();
    bed.install();
    const data = { "tls.crt": "", "tls.key": "", theirs: "eA==" };
    bed.api.create(SECRETS, { metadata: SECRET, ...{ type: "kubernetes.io/tls", data } });
    const replica = bed.replica("a");

    replica.lead();
    await bed.until(() => answers(replica));
    bed.change({ "ca.crt": "rubbish" });
    await bed.world.run({ forMs: 20_000 });

    expect(bed.secret()).toMatchObject({ type: "kubernetes.io/tls", data: { theirs: "eA==" } });
    expect(isAccepted(replica)).toBe(true);
    expect(replica.log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("says what to do about a Secret that cannot be written, serves on, and heals when that is done", async () => {
    const [leader] = await running();
    const serving = leader.reloader.serving.current();
    bed.change({ "tls.crt": "rubbish" });
    bed.api.patch(SECRETS, SECRET, { immutable: true });

    await bed.world.run({ forMs: 120_000 });
    const meanwhile = leader.reloader.serving.current();
    const writes = secretWrites();
    bed.api.delete(SECRETS, SECRET);
    await bed.world.run({ forMs: 120_000 });

    expect(meanwhile).toBe(serving);
    expect(writes).toBeLessThan(20);
    const told = leader.log.lines.filter((line) => line === "error: refused by the API server");
    expect(told).toHaveLength(1);
    expect(leader.log.lines).toContain("info: works again");
    expect(bed.replicas.every(isAccepted)).toBe(true);
    expect(leader.reloader.serving.current()).not.toBe(serving);
  });

  it("tries again while the API server is away, each of its three loops telling it once", async () => {
    bed = new CertificateBed();
    const replica = bed.replica("a");
    const network = replica.process.network(bed.api);
    network.down();
    replica.lead();
    await bed.world.run({ forMs: 120_000 });
    const failures = replica.metrics.of("svc_ferry_certificate_failures_total");

    network.up();
    await bed.until(() => replica.reloader.serving.current() !== undefined, 120_000);

    expect(failures.length).toBeLessThan(20);
    expect(new Set(failures)).toEqual(new Set(["FERRY-K001"]));
    expect(replica.log.lines.filter((line) => line === "warn: failed, trying again")).toHaveLength(
      3,
    );
  });

  it("writes ever more rarely when somebody undoes what it writes", async () => {
    const [leader] = await running({ settings: DEFAULT_ROTATION });
    const writes = secretWrites();

    for (let second = 0; second < 200; second += 1) {
      bed.change({ "tls.crt": "rubbish" });
      await bed.world.run({ forMs: 1_000 });
    }

    expect(secretWrites() - writes).toBeLessThan(25);
    expect(isAccepted(leader)).toBe(true);
  });

  it("renews in time when everything is renewed so often that it looks as if somebody undid it", async () => {
    const settings = {
      overlapMs: 24_000,
      leafRenewBeforeMs: 30_000,
      leafValidityMs: 36_000,
      caRenewBeforeMs: 54_000,
      caValidityMs: 78_000,
    };
    const [leader] = await running({ settings });
    const spareMs: number[] = [];
    let endMs = leader.reloader.serving.current()?.leaf.notAfterMs ?? 0;
    leader.reloader.serving.onChange(({ leaf }) => {
      spareMs.push(endMs - bed.world.clock.now());
      endMs = leaf.notAfterMs;
    });

    await bed.world.run({ forMs: 300_000 });

    expect(spareMs.length).toBeGreaterThan(30);
    expect(Math.min(...spareMs)).toBeGreaterThanOrEqual(settings.overlapMs);
  });

  it("keeps only the hand-off and the stamp keys where the serving certificate comes from elsewhere", async () => {
    bed = new CertificateBed({ handOffOnly: true });
    const replica = bed.replica("a");

    replica.lead();
    await bed.until(() => replica.reloader.handOff.current() !== undefined);

    expect(Object.keys(parseSecret(bed.secret()).leaves)).toEqual(["hand-off"]);
    expect(replica.reloader.signer).toBeDefined();
    expect(replica.reloader.serving.current()).toBeUndefined();
  });
});
