import { X509Certificate } from "node:crypto";
import { duplexPair } from "node:stream";
import { connect, type ConnectionOptions, createServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { authority, type Issued } from "../../../certs/authority.js";
import { fitsKey, isIssuedBy } from "../../../certs/certificate.js";
import { lifetime } from "../../../certs/lifetime.js";
import { HOUR, newCa, newLeaf, NOW } from "../../fixtures/certificates.js";

/** A handshake without a network, with the machine's clock. @returns what the client or the server found wrong */
function handshake(shown: Issued, options: ConnectionOptions, clientCa?: Issued): Promise<string> {
  const [here, there] = duplexPair();
  const { promise, resolve } = Promise.withResolvers<string>();
  const server = createServer({
    cert: shown.certificate.pem,
    key: shown.key,
    ...(clientCa && { requestCert: true, ca: clientCa.certificate.pem }),
  });
  server.on("tlsClientError", () => resolve("refused by the server"));
  server.on("secureConnection", (socket) => socket.end("hello"));
  server.emit("connection", there);
  const client = connect({ socket: here, ...options });
  client.on("error", (error) => resolve(error.message));
  // With TLS 1.3 the client is done before the server has looked at its certificate.
  client.on("data", () => resolve("fine"));
  return promise.finally(() => {
    client.destroy();
    there.destroy();
  });
}

describe("authority", () => {
  // Handshakes verify by the machine's clock.
  const today = performance.timeOrigin + performance.now();
  const ca = newCa(today);
  const leaf = newLeaf(ca, { madeMs: today, names: ["web.ns.svc", "10.0.0.1", "fd00::a:0:1"] });

  it("makes a CA that signs what verifies", () => {
    const other = newCa(today);

    expect(isIssuedBy(leaf.certificate, ca.certificate)).toBe(true);
    expect(isIssuedBy(leaf.certificate, other.certificate)).toBe(false);
    expect(isIssuedBy(ca.certificate, ca.certificate)).toBe(true);
    expect(fitsKey(leaf.certificate, leaf.key)).toBe(true);
    expect(fitsKey(leaf.certificate, other.key)).toBe(false);
  });

  it("writes names and addresses as clients compare them", async () => {
    const trust = { ca: ca.certificate.pem };

    const outcomes = await Promise.all([
      handshake(leaf, { ...trust, servername: "web.ns.svc" }),
      handshake(leaf, { ...trust, host: "10.0.0.1" }),
      handshake(leaf, { ...trust, host: "fd00::a:0:1" }),
      handshake(leaf, { ...trust, servername: "web.other.svc" }),
      handshake(leaf, { servername: "web.ns.svc" }),
    ]);

    expect(outcomes.slice(0, 3)).toEqual(["fine", "fine", "fine"]);
    expect(outcomes[3]).toMatch("does not match certificate's altnames");
    expect(outcomes[4]).toMatch(/unable to (?:verify|get)/);
    expect(leaf.certificate.names).toEqual(["web.ns.svc", "10.0.0.1", "fd00::a:0:1"]);
  });

  it("makes a certificate that is a server's and a client's, and one that is not a client's", async () => {
    const both = newLeaf(ca, {
      madeMs: today,
      names: ["hand-off"],
      usages: ["server", "client"],
    });
    const trust = { ca: ca.certificate.pem, servername: "hand-off" };
    const as = ({ certificate, key }: Issued) => ({ ...trust, cert: certificate.pem, key });

    const outcomes = await Promise.all([
      handshake(both, as(both), ca),
      handshake(both, as(leaf), ca),
      handshake(both, trust, ca),
    ]);

    expect(outcomes).toEqual(["fine", "refused by the server", "refused by the server"]);
    expect([both, leaf].map(({ certificate }) => certificate.isForClients)).toEqual([true, false]);
  });

  it("lets a certificate begin an hour ago, so that no clock is too slow for it", () => {
    const { notBeforeMs, notAfterMs } = newLeaf(ca, { madeMs: NOW, validityMs: HOUR }).certificate;

    expect([notBeforeMs, notAfterMs]).toEqual([NOW - HOUR, NOW + HOUR]);
  });

  it("knows how to write years after 2049", () => {
    const [last, first] = [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1)];

    const ends = [last, first].map(
      (end) => authority.ca(lifetime(NOW, end - NOW)).certificate.notAfterMs,
    );

    expect(ends).toEqual([last, first]);
  });

  it("never gives two the same name, number or key", () => {
    const parsed = [newCa(), newCa()].map(
      ({ certificate }) => new X509Certificate(certificate.pem),
    );

    expect(new Set(parsed.map(({ subject }) => subject)).size).toBe(2);
    expect(new Set(parsed.map(({ serialNumber }) => serialNumber)).size).toBe(2);
    expect(parsed.every(({ serialNumber }) => BigInt(`0x${serialNumber}`) > 0n)).toBe(true);
    expect(new Set(parsed.map(({ publicKey }) => publicKey.export({ format: "jwk" }).x)).size).toBe(
      2,
    );
  });

  it("names the CA's key in what it signs, so that Go finds the issuer among several", () => {
    const extensionsOf = ({ certificate }: Issued) => new X509Certificate(certificate.pem).raw;
    const subjectKeyId = Buffer.from("0603551d0e041604 14".replaceAll(" ", ""), "hex");
    const raw = extensionsOf(ca);
    const at = raw.indexOf(subjectKeyId) + subjectKeyId.length;
    const keyId = raw.subarray(at, at + 20);

    const named = Buffer.concat([Buffer.from("0603551d23041830168014", "hex"), keyId]);

    expect(extensionsOf(leaf).includes(named)).toBe(true);
  });

  it("makes stamp keys of 32 random bytes", () => {
    const keys = [authority.stampKey(), authority.stampKey()];

    expect(keys.map((key) => Buffer.from(key, "base64").length)).toEqual([32, 32]);
    expect(new Set(keys).size).toBe(2);
  });
});
