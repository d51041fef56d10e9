import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { authority, type Issued } from "../../../certs/authority.js";
import { parseCertificate } from "../../../certs/certificate.js";
import { lifetime } from "../../../certs/lifetime.js";
import { type Accepted, type Demands, type Offer, verdict } from "../../../certs/verdict.js";
import { HOUR, newCa, newLeaf, NOW, offerOf } from "../../fixtures/certificates.js";

const ca = newCa();
const otherCa = newCa();
const leaf = newLeaf(ca);
const good = offerOf(leaf, ca);

/** "accepted", or why not. */
function judge(offer: Offer, demands: Partial<Demands> = {}): string {
  const judged = verdict(offer, {
    suits: () => true,
    current: undefined,
    nowMs: NOW,
    ...demands,
  });
  return judged.kind === "accepted" ? judged.kind : judged.refusal;
}

function accepted(offer: Offer): Accepted {
  const judged = verdict(offer, { suits: () => true, current: undefined, nowMs: NOW });
  if (judged.kind === "refused") throw new Error(judged.refusal);
  return judged.accepted;
}

describe("verdict", () => {
  it("takes a pair that fits, is valid and verifies", () => {
    expect(judge(good)).toBe("accepted");
    expect(accepted(good).issuer?.id).toBe(ca.certificate.id);
  });

  it.each<[string, Offer, Partial<Demands>]>([
    ["missing", { cert: "", key: "", ca: "" }, {}],
    [
      "unreadable",
      { ...good, cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      {},
    ],
    ["unreadable", { ...good, key: "" }, {}],
    ["mismatched", { ...good, key: otherCa.key }, {}],
    ["mismatched", { ...good, key: "rubbish" }, {}],
    ["ended", good, { nowMs: NOW + 100 * HOUR }],
    ["not-yet-valid", good, { nowMs: NOW - 2 * HOUR }],
    ["wrong-usage", good, { suits: ({ isForClients }) => isForClients }],
    ["untrusted", { ...good, ca: otherCa.certificate.pem }, {}],
    ["untrusted", { ...good, ca: "" }, {}],
  ])("refuses what is %s", (reason, offer, demands) => {
    expect(judge(offer, demands)).toBe(reason);
  });

  it("refuses a leaf whose CA has ended", () => {
    const old = newCa(NOW - 10 * HOUR, 11 * HOUR);
    const offer = offerOf(newLeaf(old), old);

    expect([judge(offer), judge(offer, { nowMs: NOW + 2 * HOUR })]).toEqual([
      "accepted",
      "untrusted",
    ]);
  });

  it("finds the issuer among several CAs", () => {
    expect(judge(offerOf(leaf, otherCa, ca))).toBe("accepted");
  });

  it("goes by way of a CA in between that comes with the leaf, and needs it", () => {
    const madeMs = performance.timeOrigin + performance.now();
    // Openssl lets it begin at the second at which it gets to run.
    const nowMs = madeMs + HOUR;
    const root = newCa(madeMs);
    const between = betweenCa(root);
    const of = newLeaf(between, { madeMs });
    const alone = offerOf(of, otherCa, root);
    const chained = { ...alone, cert: of.certificate.pem + between.certificate.pem };

    expect(judge(chained, { nowMs })).toBe("accepted");
    expect(judge(alone, { nowMs })).toBe("untrusted");
  });

  it("takes a public CA's word where no CA is given", () => {
    expect(judge({ ...good, ca: undefined })).toBe("accepted");
  });

  it("refuses an older one as long as the one in use verifies against what came with it", () => {
    const older = newLeaf(ca, { madeMs: NOW - HOUR });
    const current = accepted(good);

    expect(judge(offerOf(older, ca), { current })).toBe("older");
  });

  it("takes an older one that a restored etcd brought back: the newer one's CA is gone with it", () => {
    const older = newLeaf(otherCa, { madeMs: NOW - HOUR });
    const current = accepted(good);

    expect(judge(offerOf(older, otherCa), { current })).toBe("accepted");
  });

  it("takes an older one when the one in use has ended", () => {
    const current = accepted(offerOf(newLeaf(ca, { validityMs: HOUR }), ca));
    const older = newLeaf(ca, { madeMs: NOW - HOUR });

    expect(judge(offerOf(older, ca), { current, nowMs: NOW + 2 * HOUR })).toBe("accepted");
  });

  it("does not take a leaf for a CA", () => {
    const request = {
      commonName: "forged",
      names: ["web.ns.svc"],
      usages: ["server" as const],
      lifetime: lifetime(NOW, HOUR),
    };
    const forged = authority.leaf(request, leaf);

    expect(
      judge({ ...offerOf(forged, ca), cert: forged.certificate.pem + leaf.certificate.pem }),
    ).toBe("untrusted");
  });
});

/** A CA that another one has signed, as companies have them; by openssl, because the product makes none. */
function betweenCa(root: Issued): Issued {
  const folder = mkdtempSync(join(tmpdir(), "between-ca-"));
  const file = (name: string) => join(folder, name);
  try {
    writeFileSync(file("root.pem"), root.certificate.pem);
    writeFileSync(file("root.key"), root.key);
    const request = [
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
    ];
    const subject = [
      "-subj",
      "/O=company/CN=between",
      "-addext",
      "basicConstraints=critical,CA:TRUE",
    ];
    const sign = ["x509", "-req", "-copy_extensions", "copy", "-days", "1"];
    const by = ["-CA", file("root.pem"), "-CAkey", file("root.key"), "-CAcreateserial"];
    const options = { stdio: "ignore" as const };
    execFileSync(
      "openssl",
      [...request, ...subject, "-keyout", file("key"), "-out", file("csr")],
      options,
    );
    execFileSync("openssl", [...sign, ...by, "-in", file("csr"), "-out", file("pem")], options);
    const certificate = parseCertificate(readFileSync(file("pem"), "utf8"));
    if (certificate === undefined) throw new Error("openssl made no certificate");
    return { certificate, key: readFileSync(file("key"), "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
