import { describe, expect, it } from "vitest";
import { certificatesReport, type Evidence } from "../../../certs/report.js";
import { DEFAULT_ROTATION } from "../../../certs/rotation-settings.js";
import { rfc3339 } from "../../../src/ports/timestamps.js";
import { HOUR, newCa, newLeaf, NOW, offerOf } from "../../fixtures/certificates.js";
import { DAY, HeldSecret, SECRET_REF } from "../../fixtures/held-secret.js";

function report(held: HeldSecret, other: Partial<Evidence> = {}) {
  const { nowMs, configuration } = held;
  return certificatesReport({
    cluster: "eks-a",
    secretRef: SECRET_REF,
    secret: held.secret(),
    files: undefined,
    configuration: "svc-ferry",
    configurations: { mutating: configuration, validating: configuration },
    settings: DEFAULT_ROTATION,
    nowMs,
    ...other,
  });
}

const idsOf = (held: HeldSecret) => held.holding.cas.map(({ id }) => id.slice(0, 16));
const problemsOf = (...args: Parameters<typeof report>) =>
  report(...args).problems.map(({ problem }) => problem);

describe("certificatesReport", () => {
  it("tells everything of an installation that is well", () => {
    const held = new HeldSecret();
    const [ca = ""] = idsOf(held);
    const from = rfc3339(NOW - HOUR);

    const told = report(held);

    expect(told).toEqual({
      apiVersion: "svc-ferry.io/cli/v1",
      kind: "CertificatesReport",
      time: rfc3339(NOW),
      mode: "self",
      cluster: "eks-a",
      secret: { name: "k8s-sync/svc-ferry-webhook-tls", exists: true },
      cas: [
        {
          id: ca,
          in: "secret",
          role: "signs",
          from,
          until: rfc3339(NOW + 1_825 * DAY),
          daysLeft: 1_825,
        },
      ],
      leaves: [
        {
          name: "serving",
          in: "secret",
          state: "good",
          names: ["svc-ferry-webhook.k8s-sync.svc", "svc-ferry-webhook.k8s-sync.svc.cluster.local"],
          from,
          until: rfc3339(NOW + 90 * DAY),
          daysLeft: 90,
          signedBy: ca,
        },
        {
          name: "hand-off",
          in: "secret",
          state: "good",
          names: ["hand-off.svc-ferry.internal"],
          from,
          until: rfc3339(NOW + 90 * DAY),
          daysLeft: 90,
          signedBy: ca,
        },
      ],
      stampKeys: { current: true, previous: false },
      configurations: [
        { kind: "mutating", name: "svc-ferry", state: "trusts", entries: 1, namesLacking: [] },
        { kind: "validating", name: "svc-ferry", state: "trusts", entries: 1, namesLacking: [] },
      ],
      next: {
        step: "renew",
        reason: "ends-soon",
        at: rfc3339(NOW + 60 * DAY),
        what: ["serving", "hand-off"],
      },
      problems: [],
    });
  });

  it("holds no private key and no stamp key", () => {
    const held = new HeldSecret().request("stamp").run();
    const { signer, leaves, stampKeys } = held.holding;
    const secrets = [signer?.key, leaves.serving?.key, leaves["hand-off"]?.key]
      .map((key) => key?.split("\n")[1])
      .concat(stampKeys?.current, stampKeys?.previous);

    const text = JSON.stringify(report(held));

    expect(secrets.filter((secret) => secret === undefined)).toEqual([]);
    expect(secrets.filter((secret) => text.includes(secret ?? ""))).toEqual([]);
    expect(text).not.toContain("PRIVATE");
  });

  it("names the role of each CA through a rotation", () => {
    const held = new HeldSecret().request("ca").run();
    const roles = () => report(held).cas.map(({ role }) => role);

    const trusting = roles();
    held
      .inject()
      .after(DAY + HOUR)
      .run();
    const signing = roles();
    held.after(DAY + HOUR).run();

    expect(trusting).toEqual(["will sign", "signs"]);
    expect(signing).toEqual(["signs", "trusted"]);
    expect(roles()).toEqual(["signs"]);
  });

  it("says what comes next in each phase of a rotation, and when", () => {
    const held = new HeldSecret().request("ca");
    const [old] = idsOf(held);
    const next = () => report(held).next;

    expect(next()).toMatchObject({ step: "trust", reason: "requested", at: rfc3339(NOW) });
    held.run();
    expect(next()).toMatchObject({ step: "wait", reason: "configurations" });
    held.inject();
    expect(next()).toMatchObject({ step: "sign", at: rfc3339(NOW + DAY + 1_000) });
    held.after(DAY + HOUR).run();
    expect(next()).toMatchObject({
      step: "prune",
      what: [old],
      at: rfc3339(NOW + 2 * DAY + HOUR + 1_000),
    });
  });

  it("calls a CA unusable whose time is over, though its key is there", () => {
    const held = new HeldSecret().after(1_826 * DAY);

    const { cas, problems } = report(held);

    expect(cas).toMatchObject([{ role: "unusable", daysLeft: -1 }]);
    expect(problems.map(({ problem }) => problem)).toEqual([
      "the serving certificate has ended",
      "the hand-off certificate has ended",
    ]);
  });

  it("tells only the cause when there is no Secret", () => {
    const told = report(new HeldSecret(), { secret: undefined });

    expect(told.leaves.map(({ state }) => state)).toEqual(["missing", "missing"]);
    expect(told.problems.map(({ problem }) => problem)).toEqual([
      "there is no Secret k8s-sync/svc-ferry-webhook-tls",
    ]);
  });

  it("tells of a Secret that somebody has emptied", () => {
    const held = new HeldSecret();

    expect(problemsOf(held, { secret: { metadata: SECRET_REF } })).toEqual([
      "the serving certificate is missing",
      "the hand-off certificate is missing",
      "Secret k8s-sync/svc-ferry-webhook-tls holds no key for stamps: changes are not signed, their authors stay unknown",
    ]);
  });

  it("does not mind configurations that are not there: they call nobody", () => {
    const { configurations, problems } = report(new HeldSecret(), { configurations: {} });

    expect(configurations.map(({ state }) => state)).toEqual(["missing", "missing"]);
    expect(problems).toEqual([]);
  });

  it("tells of a configuration of which one entry does not trust what is served", () => {
    const held = new HeldSecret();
    const { metadata, webhooks = [] } = held.configuration;
    const mutating = { metadata, webhooks: [...webhooks, { clientConfig: {} }] };

    const { configurations } = report(held, { configurations: { mutating } });

    expect(configurations[0]).toMatchObject({ state: "does-not-trust", entries: 2 });
    expect(problemsOf(held, { configurations: { mutating } })).toEqual([
      "the mutating webhook configuration svc-ferry does not trust what is served",
    ]);
  });

  it("tells of names that API servers call by and the certificate lacks", () => {
    const held = new HeldSecret();
    const { metadata, webhooks = [] } = held.configuration;
    const url = "https://10.0.0.1:9443/mutate";
    const validating = {
      metadata,
      webhooks: webhooks.map(({ clientConfig }) => ({
        clientConfig: { caBundle: clientConfig?.caBundle ?? "", url },
      })),
    };

    const told = report(held, { configurations: { validating } });

    expect(told.configurations[1]).toMatchObject({ state: "trusts", namesLacking: ["10.0.0.1"] });
    expect(told.problems).toHaveLength(1);
    expect(told.next).toMatchObject({
      step: "renew",
      reason: "names-changed",
      at: rfc3339(NOW),
      what: ["serving"],
    });
  });

  it("shows a request as it stands there", () => {
    const held = new HeldSecret();
    const secret = held.secret();
    const annotations = { "svc-ferry.io/rotate": "everything" };

    const told = report(held, { secret: { ...secret, metadata: { ...SECRET_REF, annotations } } });

    expect(told.secret.requested).toBe("everything");
    expect(told.next?.step).toBe("renew");
  });
});

describe("certificatesReport of a certificate that somebody else makes", () => {
  const ca = newCa();
  const leaf = newLeaf(ca, { names: ["svc-ferry-webhook.k8s-sync.svc"], validityMs: 10 * HOUR });
  const files = { mode: "provided", offer: offerOf(leaf, ca) } as const;
  const trusting = () => ({
    metadata: { name: "svc-ferry" },
    webhooks: [
      {
        clientConfig: {
          caBundle: Buffer.from(ca.certificate.pem).toString("base64"),
          service: { namespace: "k8s-sync", name: "svc-ferry-webhook" },
        },
      },
    ],
  });

  it("judges the files, and the hand-off's from the Secret", () => {
    const held = new HeldSecret();

    const told = report(held, { files, configurations: { mutating: trusting() } });

    expect(told.mode).toBe("provided");
    expect(told.cas.map(({ in: place, role }) => `${place} ${role}`)).toEqual([
      "secret signs",
      "files trusted",
    ]);
    expect(told.leaves).toMatchObject([
      { in: "files", state: "good", signedBy: ca.certificate.id.slice(0, 16) },
      { in: "secret", state: "good", signedBy: idsOf(held)[0] },
    ]);
    expect(told.next).toMatchObject({ step: "renew", what: ["hand-off"] });
    expect(told.problems).toEqual([]);
  });

  it("needs no caBundle where API servers know the CA", () => {
    const offer = { ...files.offer, ca: undefined };
    const { metadata } = trusting();
    const mutating = { metadata, webhooks: [{ clientConfig: {} }] };
    const held = new HeldSecret();

    const own = problemsOf(held, {
      files: { mode: "provided", offer },
      configurations: { mutating },
    });
    const injected = problemsOf(held, {
      files: { mode: "cert-manager", offer },
      configurations: { mutating },
    });

    expect(own).toEqual([]);
    expect(injected).toEqual([
      "the mutating webhook configuration svc-ferry does not trust what is served",
    ]);
  });

  it("says who has to do what about a certificate that has ended", () => {
    const held = new HeldSecret().after(11 * HOUR);
    const fixOf = (mode: "provided" | "cert-manager") =>
      report(held, { files: { ...files, mode } }).problems.map(({ fix }) => fix);

    expect(fixOf("provided")).toEqual([
      "exchange the files in --certs-dir; replicas read them every 5 s",
    ]);
    expect(fixOf("cert-manager")).toEqual([
      "see what cert-manager says of it: kubectl describe certificate",
    ]);
  });
});
