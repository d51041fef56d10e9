import { afterEach, describe, expect, it } from "vitest";
import { CertificateBed } from "../fixtures/certificate-bed.js";

const SECOND = 1_000;
/** A leaf every 10 s, a CA every 30 s. */
const SETTINGS = {
  overlapMs: 24 * SECOND,
  leafRenewBeforeMs: 40 * SECOND,
  leafValidityMs: 50 * SECOND,
  caRenewBeforeMs: 60 * SECOND,
  caValidityMs: 90 * SECOND,
};
let bed = new CertificateBed();
afterEach(() => bed.end());

describe("rotation of everything every few seconds", () => {
  it.each([1, 2, 3])(
    "shows API servers no certificate that they refuse, with a replica that hears of the Secret 20 s late (seed %i)",
    async (seed) => {
      bed = new CertificateBed({ settings: SETTINGS, seed });
      bed.install();
      const [leader, follower, late] = ["a", "b", "late"].map((name) => bed.replica(name));
      late?.process.network(bed.api, { watchLatencyMs: [20 * SECOND, 20 * SECOND] });
      leader?.lead();
      await bed.until(() => bed.replicas.every((replica) => bed.isAccepted(replica)));
      await bed.world.run({ forMs: 25 * SECOND });
      const refusals = bed.refusals();

      await bed.world.run({ forMs: 90 * SECOND });
      leader?.resign();
      follower?.lead();
      await bed.world.run({ forMs: 90 * SECOND });

      const taken = late?.metrics.of("svc_ferry_certificates_taken_total") ?? [];
      const steps = bed.replicas.flatMap(({ metrics }) =>
        metrics.of("svc_ferry_certificate_rotations_total"),
      );
      expect(refusals).toEqual([]);
      expect(taken.filter((kind) => kind === "serving").length).toBeGreaterThan(15);
      expect(steps.filter((step) => step.startsWith("sign")).length).toBeGreaterThan(4);
      expect(bed.bundles().every((cas) => cas.length <= 5)).toBe(true);
    },
  );
});
