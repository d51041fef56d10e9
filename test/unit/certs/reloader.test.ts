import { describe, expect, it } from "vitest";
import type { Issued } from "../../../certs/authority.js";
import { Reloader, type ReloaderParts } from "../../../certs/reloader.js";
import { bundleText, type Holding } from "../../../certs/holding.js";
import { renderSecret, type Secret } from "../../../certs/secret-content.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";
import { HOUR, newCa, newLeaf, NOW } from "../../fixtures/certificates.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { RecordingLog } from "../src/kube/fixture/recording-log.js";

const ca = newCa();
const first = newLeaf(ca);
const second = newLeaf(ca);
const third = newLeaf(ca);

function secretOf(
  serving: Issued,
  cas: readonly Issued[] = [ca],
  more: Partial<Holding> = {},
): Secret {
  const pair = (issued: Issued) => ({ ...issued, issuer: ca.certificate.id });
  const handOff = newLeaf(ca, {
    names: ["hand-off.svc-ferry.internal"],
    usages: ["server", "client"],
  });
  const holding = {
    cas: cas.map(({ certificate }) => certificate),
    signer: ca,
    next: undefined,
    leaves: { serving: pair(serving), "hand-off": pair(handOff) },
    stampKeys: undefined,
    requested: undefined,
    ...more,
  };
  return renderSecret<Secret>({ metadata: { namespace: "ns", name: "tls" } }, holding);
}

function bed(servingIsOurs = true, accepts: ReloaderParts["accepts"] = () => true) {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const metrics = new RecordedMetrics();
  const reloader = new Reloader(servingIsOurs, { clock, log, metrics, accepts });
  const heard: string[] = [];
  reloader.serving.onChange(({ cert }) => heard.push(cert));
  return { clock, log, metrics, reloader, heard };
}

const broken: readonly [string, Secret | undefined][] = [
  ["missing", undefined],
  ["missing", { metadata: { name: "tls" }, data: {} }],
  ["mismatched", secretOf({ ...second, key: first.key })],
  ["untrusted", secretOf(second, [newCa()])],
  ["ended", secretOf(newLeaf(ca, { madeMs: NOW - 5 * HOUR, validityMs: HOUR }))],
  ["older", secretOf(newLeaf(ca, { madeMs: NOW - 5 * HOUR }))],
  ["wrong-usage", secretOf(newLeaf(ca, { usages: ["client"] }))],
];

describe("Reloader", () => {
  it("takes what the Secret has and each later one, and says so", () => {
    const { reloader, heard, log, metrics } = bed();

    reloader.secretChanged(secretOf(first));
    reloader.secretChanged(secretOf(second));

    expect(heard).toEqual([first, second].map(({ certificate }) => certificate.pem));
    expect(reloader.serving.current()).toMatchObject({ key: second.key });
    expect(log.lines.every((line) => line === "info: certificate taken")).toBe(true);
    expect(metrics.of("svc_ferry_certificates_taken_total")).toContain("serving");
    expect(metrics.lines).toContain(
      `svc_ferry_certificate_expiry_timestamp_seconds = ${second.certificate.notAfterMs / 1_000} serving`,
    );
    expect(metrics.lines).toContain(
      `svc_ferry_certificate_expiry_timestamp_seconds = ${ca.certificate.notAfterMs / 1_000} ca`,
    );
  });

  it("hears nothing new when nothing is new", () => {
    const { reloader, heard } = bed();

    reloader.secretChanged(secretOf(first));
    reloader.secretChanged(secretOf(first));

    expect(heard).toHaveLength(1);
  });

  it.each(broken)("goes on with the last good one when the next is %s", (reason, secret) => {
    const { reloader, heard, log, metrics } = bed();
    reloader.secretChanged(secretOf(first));
    log.lines.length = 0;

    reloader.secretChanged(secret);

    expect(reloader.serving.current()).toMatchObject({
      cert: first.certificate.pem,
      key: first.key,
    });
    expect(heard).toHaveLength(1);
    expect(metrics.of("svc_ferry_certificates_refused_total")).toContain(`serving ${reason}`);
    expect(log.lines).toContain("warn: certificate refused, the last good one stays in use");
  });

  it("goes on with one that API servers accept when they do not accept the next, until they do or do not accept its own", () => {
    const accepted = new Set([first]);
    const { reloader, heard, metrics } = bed(true, ({ leaf }) =>
      [...accepted].some(({ certificate }) => certificate.id === leaf.id),
    );
    reloader.secretChanged(secretOf(first));

    reloader.secretChanged(secretOf(second));
    const whileRefused = reloader.serving.current()?.key;
    accepted.add(second);
    reloader.configurationChanged();
    reloader.secretChanged(secretOf(third));
    accepted.clear();
    reloader.configurationChanged();

    expect(whileRefused).toBe(first.key);
    expect(heard).toEqual([first, second, third].map(({ certificate }) => certificate.pem));
    expect(metrics.of("svc_ferry_certificates_refused_total")).toEqual([
      "serving not-accepted",
      "serving not-accepted",
    ]);
  });

  it("takes the next good one after a broken one", () => {
    const { reloader, heard } = bed();

    for (const [, secret] of broken) reloader.secretChanged(secret);
    reloader.secretChanged(secretOf(second));

    expect(heard.at(-1)).toBe(second.certificate.pem);
  });

  it("gives the hand-off both its certificate and the whole bundle, also when only that grows", () => {
    const { reloader } = bed();
    const secret = secretOf(first);
    const next = newCa();
    const cas = [next, ca].map(({ certificate }) => certificate);
    const bundles: string[] = [];
    reloader.handOff.onChange(({ ca: bundle }) => bundles.push(bundle));

    reloader.secretChanged(secret);
    const grown = Buffer.from(bundleText(cas)).toString("base64");
    reloader.secretChanged({ ...secret, data: { ...secret.data, "ca.crt": grown } });

    expect(bundles).toEqual([ca.certificate.pem, bundleText(cas)]);
    expect(reloader.handOff.current()).toMatchObject({ name: "hand-off.svc-ferry.internal" });
  });

  it("refuses a hand-off certificate that is another's", () => {
    const { reloader, metrics } = bed();
    const webhook = { ...first, issuer: ca.certificate.id };

    reloader.secretChanged(
      secretOf(first, [ca], { leaves: { serving: webhook, "hand-off": webhook } }),
    );

    expect(reloader.handOff.current()).toBeUndefined();
    expect(metrics.of("svc_ferry_certificates_refused_total")).toEqual(["hand-off wrong-usage"]);
  });

  it("signs stamps with the newest key, knows the one before, and keeps both when the Secret is gone", () => {
    const { reloader } = bed();
    const [old, young] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));
    const before = reloader.signer;

    reloader.secretChanged(
      secretOf(first, [ca], { stampKeys: { current: old ?? "", previous: undefined } }),
    );
    const byOld = reloader.signer?.sign("change") ?? "";
    reloader.secretChanged(
      secretOf(first, [ca], { stampKeys: { current: young ?? "", previous: old } }),
    );
    reloader.secretChanged(undefined);

    expect(before).toBeUndefined();
    expect(byOld).toMatch(/^[0-9a-f]{72}$/);
    expect(reloader.signer?.sign("change")).not.toBe(byOld);
    expect(reloader.signer?.fits("change", byOld)).toBe(true);
    expect(reloader.signer?.fits("another change", byOld)).toBe(false);
    expect(reloader.signer?.fits("change", "")).toBe(false);
    expect(["", byOld, `0${byOld}`].map((text) => reloader.signer?.knows(text))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("knows stamps of keys that the watch has not brought yet, and signs with none of them", () => {
    const [watched, ahead] = [bed().reloader, bed().reloader];
    const keys = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));
    const secrets = keys.map((current) =>
      secretOf(first, [ca], { stampKeys: { current, previous: undefined } }),
    );
    watched.secretChanged(secrets[0]);
    ahead.secretChanged(secrets[1]);
    const byYoung = ahead.signer?.sign("change") ?? "";
    const before = watched.signer?.knows(byYoung);

    watched.learn(secrets[1]);

    expect(before).toBe(false);
    expect(watched.signer?.knows(byYoung)).toBe(true);
    expect(watched.signer?.fits("change", byYoung)).toBe(true);
    expect(watched.signer?.fits("another change", byYoung)).toBe(false);
    expect(watched.signer?.sign("change")).not.toBe(byYoung);
    watched.secretChanged(secrets[1]);
    expect(watched.signer?.sign("change")).toBe(byYoung);
  });

  it("takes an older one back in the place of one that API servers refuse", () => {
    const refused = newLeaf(ca, { madeMs: NOW - HOUR });
    const older = newLeaf(ca, { madeMs: NOW - 2 * HOUR });
    const accepts = ({ leaf }: { readonly leaf: { readonly id: string } }): boolean =>
      leaf.id !== refused.certificate.id;
    const { reloader } = bed(true, accepts);

    reloader.secretChanged(secretOf(refused));
    const before = reloader.serving.current()?.cert;
    reloader.secretChanged(secretOf(older));

    expect(before).toBe(refused.certificate.pem);
    expect(reloader.serving.current()?.cert).toBe(older.certificate.pem);
  });

  it("tells once that the one in use has ended, and takes one whose time has come", async () => {
    const { clock, reloader, log, heard } = bed();
    const stop = new AbortController();
    const running = reloader.start(stop.signal);
    const early = newLeaf(ca, { madeMs: NOW + 2 * HOUR });
    reloader.secretChanged(secretOf(newLeaf(ca, { validityMs: HOUR })));

    reloader.secretChanged(secretOf(early));
    await clock.advance(HOUR - 60_000);
    const tooEarly = heard.at(-1);
    await clock.advance(2 * 60_000);

    expect(tooEarly).not.toBe(early.certificate.pem);
    expect(heard.at(-1)).toBe(early.certificate.pem);
    await clock.advance(200 * HOUR);
    const ends = log.lines.filter((line) => line === "error: the certificate in use has ended");
    expect(ends).toHaveLength(2); // serving and hand-off
    stop.abort();
    await running;
    expect(clock.pending).toBe(0);
  });

  it("leaves the Secret's serving certificate alone where it comes from elsewhere", () => {
    const { reloader, heard } = bed(false);

    reloader.secretChanged(secretOf(first));
    reloader.offerServing({ cert: second.certificate.pem, key: second.key, ca: undefined });

    expect(heard).toEqual([second.certificate.pem]);
  });
});
