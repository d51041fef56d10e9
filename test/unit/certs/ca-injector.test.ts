import { afterEach, describe, expect, it } from "vitest";
import { bundleText } from "../../../certs/holding.js";
import { parseSecret } from "../../../certs/secret-content.js";
import { CONFIGURATIONS } from "../../../certs/webhook-configuration.js";
import { SECRETS } from "../../../src/ports/kube-resources.js";
import { newCa, newLeaf } from "../../fixtures/certificates.js";
import { CertificateBed, type Replica, SECRET } from "../../fixtures/certificate-bed.js";

let bed = new CertificateBed();
afterEach(() => bed.end());

async function leading(): Promise<Replica> {
  bed = new CertificateBed();
  bed.install();
  const replica = bed.replica("a");
  replica.lead();
  await bed.until(() => bed.isAccepted(replica));
  await bed.world.run({ forMs: 10_000 });
  return replica;
}

const writes = (replica: Replica) => replica.metrics.of("svc_ferry_ca_bundle_writes_total");

describe("CaInjector", () => {
  it("puts the Secret's bundle into every entry and changes nothing else", async () => {
    bed = new CertificateBed();
    bed.install();
    const before = bed.configuration("validating").webhooks ?? [];
    const replica = bed.replica("a");

    replica.lead();
    await bed.until(() => writes(replica).length === 2);

    const bundle = bundleText(parseSecret(bed.secret()).cas);
    const caBundle = Buffer.from(bundle).toString("base64");
    expect(bed.configuration("validating").webhooks).toEqual(
      before.map((webhook) => ({
        ...webhook,
        clientConfig: { ...webhook.clientConfig, caBundle },
      })),
    );
    expect([...writes(replica)].sort()).toEqual(["mutating", "validating"]);
  });

  it("puts it back within a second when somebody takes it away, again and again", async () => {
    const replica = await leading();

    const late: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      bed.blank("mutating");
      const atMs = bed.world.clock.monotonicMs();
      await bed.until(() => bed.isAccepted(replica));
      late.push(bed.world.clock.monotonicMs() - atMs);
    }

    await bed.world.run({ forMs: 1_000 });
    expect(Math.max(...late)).toBeLessThan(1_000);
    expect(writes(replica).filter((kind) => kind === "mutating")).toHaveLength(11);
    expect(writes(replica).filter((kind) => kind === "validating")).toHaveLength(1);
  });

  it("fills a configuration that is installed later, and says once that it waits", async () => {
    bed = new CertificateBed();
    const replica = bed.replica("a");
    replica.lead();
    await bed.world.run({ forMs: 100_000 });
    const told = replica.log.lines.filter((line) => line.endsWith("configuration is not there"));

    bed.install();
    await bed.world.run({ forMs: 1_000 });

    expect(told).toHaveLength(2);
    expect(bed.isAccepted(replica)).toBe(true);
  });

  it("takes nothing away when the Secret is gone", async () => {
    const replica = await leading();
    const before = bed.bundles();
    replica.resign();
    replica.lead(false);

    bed.api.delete(SECRETS, SECRET);
    await bed.world.run({ forMs: 90_000 });

    expect(bed.bundles()).toEqual(before);
  });

  it("takes nothing away when somebody else's certificate and CA are in the Secret", async () => {
    const replica = await leading();
    const before = bed.bundles();
    replica.resign();
    replica.lead(false);
    const theirs = newCa();
    const leaf = newLeaf(theirs);

    bed.change({
      "ca.crt": theirs.certificate.pem,
      "ca.key": null,
      "tls.crt": leaf.certificate.pem,
      "tls.key": leaf.key,
    });
    await bed.world.run({ forMs: 90_000 });

    const kept = bed.bundles().map((cas) => cas.map(({ id }) => id));
    expect(kept).toEqual(before.map((cas) => expect.arrayContaining(cas.map(({ id }) => id))));
    expect(bed.isAccepted(replica)).toBe(true);
  });

  it("does not write an old bundle over a newer one, however late its watch is", async () => {
    const a = await leading();
    const late = bed.replica("late");
    late.process.network(bed.api, { watchLatencyMs: [20_000, 20_000] });
    await bed.world.run({ forMs: 30_000 });
    bed.api.patch(SECRETS, SECRET, { metadata: { annotations: { "svc-ferry.io/rotate": "ca" } } });
    await bed.until(() => bed.bundles().every((cas) => cas.length === 2));

    a.resign();
    late.lead();
    const shrunk: number[] = [];
    bed.api.etcd.onChange(() => {
      if (bed.bundles().some((cas) => cas.length < 2)) shrunk.push(bed.world.clock.monotonicMs());
    });
    await bed.world.run({ forMs: 40_000 });

    expect(shrunk).toEqual([]);
  });

  it("stops with the term", async () => {
    const replica = await leading();

    replica.resign();
    await bed.world.run({ forMs: 1_000 });
    bed.blank("mutating");
    await bed.world.run({ forMs: 90_000 });

    expect(bed.isAccepted(replica)).toBe(false);
  });

  it("reads again after somebody else has written in between", async () => {
    const replica = await leading();
    const network = replica.process.network(bed.api);
    network.next("patch", "lose-response", CONFIGURATIONS.mutating.plural);

    bed.blank("mutating");
    await bed.until(() => replica.log.lines.includes("info: works again"));

    expect(bed.isAccepted(replica)).toBe(true);
    expect(replica.log.lines).toContain("warn: failed, trying again");
  });
});
