import { describe, expect, it } from "vitest";
import type { Issued } from "../../../certs/authority.js";
import { TrustCheck } from "../../../certs/trust-check.js";
import { type Accepted, verdict } from "../../../certs/verdict.js";
import type { WebhookConfiguration } from "../../../certs/webhook-configuration.js";
import { HOUR, newCa, newLeaf, NOW, offerOf } from "../../fixtures/certificates.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";

const ca = newCa();
const leaf = newLeaf(ca, { names: ["web.ns.svc", "*.example.org"], validityMs: HOUR });

function accepted(): Accepted {
  const demands = { suits: () => true, current: undefined, nowMs: NOW };
  const judged = verdict(offerOf(leaf, ca), demands);
  if (judged.kind === "refused") throw new Error(judged.refusal);
  return judged.accepted;
}

function bed(serving: Accepted | undefined = accepted(), needsBundle = true) {
  const clock = new VirtualClock();
  const recorded = new RecordedMetrics();
  const updates: (() => void)[] = [];
  const metrics = Object.assign(recorded, {
    beforeScrape: (update: () => void) => void updates.push(update),
  });
  const scrape = () => updates.forEach((update) => update());
  const check = new TrustCheck(needsBundle, { clock, metrics, serving: () => serving });
  return { clock, metrics, check, scrape };
}

type Entry = Issued | "blank" | { readonly url: string };

/** One entry for each; a CA stands for its bundle. */
function configuration(...entries: readonly Entry[]): WebhookConfiguration {
  const caBundle = (issuer: Issued) => Buffer.from(issuer.certificate.pem).toString("base64");
  return {
    metadata: { name: "svc-ferry" },
    webhooks: entries.map((entry) => {
      if (entry === "blank") return { clientConfig: {} };
      if ("url" in entry) return { clientConfig: { caBundle: caBundle(ca), ...entry } };
      return { clientConfig: { caBundle: caBundle(entry) } };
    }),
  };
}

describe("TrustCheck", () => {
  it("waits for a certificate", () => {
    const metrics = new RecordedMetrics();
    const check = new TrustCheck(true, {
      clock: new VirtualClock(),
      metrics,
      serving: () => undefined,
    });

    expect(check.readiness()).toEqual({ ok: false, waitingFor: ["a certificate"] });
  });

  it("is content as long as no configuration calls", () => {
    const { check } = bed();

    check.configurationChanged("mutating", undefined);

    expect(check.readiness()).toEqual({ ok: true, waitingFor: [] });
  });

  it.each<[string, readonly Entry[], readonly string[]]>([
    ["every entry trusts it", [ca, ca], []],
    [
      "one entry trusts another CA",
      [ca, newCa()],
      ["the caBundle of the validating webhook configuration to fit the certificate"],
    ],
    [
      "one entry trusts nobody",
      [ca, "blank"],
      ["the caBundle of the validating webhook configuration to fit the certificate"],
    ],
    ["it is called by a name that it has", [{ url: "https://a.example.org/x" }], []],
    [
      "it is called by another name",
      [{ url: "https://a.b.example.org/x" }],
      ["a certificate for a.b.example.org"],
    ],
    [
      "it is called by an address",
      [{ url: "https://10.0.0.1:9443/x" }],
      ["a certificate for 10.0.0.1"],
    ],
  ])("says how it stands when %s", (_, entries, waitingFor) => {
    const { check, metrics, scrape } = bed();

    check.configurationChanged("mutating", configuration(ca));
    check.configurationChanged("validating", configuration(...entries));
    scrape();

    expect(check.readiness()).toEqual({ ok: waitingFor.length === 0, waitingFor });
    expect(metrics.lines).toEqual([
      "svc_ferry_ca_bundle_match = 1 mutating",
      `svc_ferry_ca_bundle_match = ${waitingFor.length === 0 ? 1 : 0} validating`,
    ]);
  });

  it("needs no name of a Service but the one that API servers verify", () => {
    const { check } = bed();
    const service = { namespace: "ns", name: "web" };
    const { metadata, webhooks = [] } = configuration(ca);

    check.configurationChanged("validating", {
      metadata,
      webhooks: webhooks.map(({ clientConfig }) => ({
        clientConfig: { ...clientConfig, service },
      })),
    });

    expect(check.readiness()).toEqual({ ok: true, waitingFor: [] });
  });

  it("waits for another certificate when the one in use has ended", async () => {
    const { check, clock } = bed();
    check.configurationChanged("mutating", configuration(ca));

    await clock.advance(HOUR);

    expect(check.readiness().waitingFor).toEqual(["a certificate that has not ended"]);
  });

  it("does not miss a caBundle where API servers know the CA", () => {
    const { check } = bed(accepted(), false);

    check.configurationChanged("mutating", configuration("blank"));

    expect(check.readiness().ok).toBe(true);
  });
});
