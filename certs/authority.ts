/**
 * Makes certificates. The only importer of node-forge, which writes the ASN.1; keys and signatures are node:crypto's.
 *
 * NB: node-forge cannot sign with elliptic curves, and its RSA would hold the event loop for a tenth of a second. So the
 * structure of RFC 5280 is put together here and signed natively: P-256, a millisecond for key and signature.
 */
import { generateKeyPairSync, generateKeySync, hash, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";
import { rfc3339 } from "../src/ports/timestamps.js";
import { canonicalName, type Certificate, parseCertificate } from "./certificate.js";
import { issuedAtMs, type Lifetime } from "./lifetime.js";

/** A certificate and the private key that fits it, PKCS #8 as PEM. */
export interface Issued {
  readonly certificate: Certificate;
  readonly key: string;
}

/** What clients compare are the names; the common name is for people. */
interface LeafRequest {
  readonly commonName: string;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly usages: readonly ("server" | "client")[];
  readonly lifetime: Lifetime;
}

/** What rotation asks for; an interface, so that the many histories of its tests need no cryptography. */
export interface Authority {
  /** A new CA with a name and a key of its own. */
  ca(lifetime: Lifetime): Issued;
  /** @throws when `ca` cannot be read */
  leaf(request: LeafRequest, ca: Issued): Issued;
  /** 32 random bytes, base64. */
  stampKey(): string;
}

/** The one that runs. */
export const authority: Authority = {
  ca(lifetime) {
    const keys = newKeys();
    // Unlike any before it: Go picks the issuer among several CAs by name and key identifier.
    const own = keys.id.slice(0, 4).toString("hex");
    const subject = name(`svc-ferry CA ${rfc3339(issuedAtMs(lifetime))} ${own}`);
    const extensions = [
      extension("2.5.29.19", true, sequence(simple(Type.BOOLEAN, "\xff"))), // basicConstraints: it is a CA
      extension("2.5.29.15", true, simple(Type.BITSTRING, "\x01\x06")), // keyUsage: keyCertSign, cRLSign
      extension("2.5.29.14", false, simple(Type.OCTETSTRING, bytes(keys.id))), // subjectKeyIdentifier
    ];
    return issue({ keys, subject, issuer: subject, lifetime, extensions, signingKey: keys.key });
  },

  leaf({ commonName, names, usages, lifetime }, ca) {
    const keys = newKeys();
    const issuer = issuerOf(ca.certificate);
    const extensions = [
      extension("2.5.29.19", true, sequence()), // basicConstraints: it is none
      extension("2.5.29.15", true, simple(Type.BITSTRING, "\x07\x80")), // keyUsage: digitalSignature
      extension("2.5.29.37", false, sequence(...usages.map((usage) => oid(USAGES[usage])))),
      extension("2.5.29.14", false, simple(Type.OCTETSTRING, bytes(keys.id))),
      ...(issuer.keyId === undefined
        ? []
        : [extension("2.5.29.35", false, sequence(context(0, issuer.keyId)))]), // authorityKeyIdentifier
      extension("2.5.29.17", false, sequence(...names.map(alternateName))),
    ];
    const subject = name(commonName);
    return issue({
      keys,
      subject,
      issuer: issuer.name,
      lifetime,
      extensions,
      signingKey: ca.key,
    });
  },

  stampKey: () => generateKeySync("hmac", { length: 256 }).export().toString("base64"),
};

const { asn1 } = forge;
const { Class, Type } = asn1;
type Asn1 = forge.asn1.Asn1;

/** serverAuth and clientAuth. */
const USAGES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const SUBJECT_KEY_ID = "2.5.29.14";

interface Keys {
  /** Private, PEM. */
  readonly key: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  /** 20 bytes of its SHA-256: unique, as every certificate has a key of its own. */
  readonly id: Buffer;
}

function newKeys(): Keys {
  const { publicKey, privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return {
    key: privateKey,
    spki: publicKey,
    id: hash("sha256", publicKey, "buffer").subarray(0, 20),
  };
}

interface Parts {
  readonly keys: Keys;
  readonly subject: Asn1;
  readonly issuer: Asn1;
  readonly lifetime: Lifetime;
  readonly extensions: readonly Asn1[];
  readonly signingKey: string;
}

/** RFC 5280, section 4.1. */
function issue({ keys, subject, issuer, lifetime, extensions, signingKey }: Parts): Issued {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const validity = sequence(time(lifetime.notBeforeMs), time(lifetime.notAfterMs));
  const body = sequence(
    context(0, [simple(Type.INTEGER, "\x02")]), // version 3
    simple(Type.INTEGER, `\x01${bytes(keys.id.subarray(0, 15))}`), // the serial number, positive
    algorithm,
    issuer,
    validity,
    subject,
    asn1.fromDer(bytes(keys.spki)),
    context(3, [sequence(...extensions)]),
  );
  const signature = sign("sha256", der(body), signingKey);
  const whole = sequence(body, algorithm, simple(Type.BITSTRING, `\0${bytes(signature)}`));
  const certificate = parseCertificate(new X509Certificate(der(whole)).toString());
  if (certificate === undefined) throw new TypeError("the certificate made cannot be read");
  return { certificate, key: keys.key };
}

/** How certificates name this CA: its subject and key identifier as they stand in it, byte by byte. */
function issuerOf(ca: Certificate): { readonly name: Asn1; readonly keyId: string | undefined } {
  const [body] = children(asn1.fromDer(bytes(new X509Certificate(ca.pem).raw)));
  const parts = children(body);
  const subject = parts[5];
  if (subject === undefined) throw new TypeError("the CA has no subject");
  const extensions = children(children(parts.at(-1))[0]).map(children);
  const wanted = bytes(asn1.oidToDer(SUBJECT_KEY_ID).getBytes());
  const keyId = extensions.find(([id]) => id?.value === wanted)?.at(-1)?.value;
  return {
    name: subject,
    keyId: typeof keyId === "string" ? valueOf(asn1.fromDer(keyId)) : undefined,
  };
}

function name(commonName: string): Asn1 {
  const attribute = sequence(oid(COMMON_NAME), simple(Type.UTF8, commonName));
  return sequence(asn1.create(Class.UNIVERSAL, Type.SET, true, [attribute]));
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const flag = critical ? [simple(Type.BOOLEAN, "\xff")] : [];
  return sequence(oid(id), ...flag, simple(Type.OCTETSTRING, asn1.toDer(value).getBytes()));
}

/** dNSName is number 2, iPAddress number 7 of a GeneralName. */
function alternateName(text: string): Asn1 {
  switch (isIP(text)) {
    case 4:
      return context(7, bytes(Buffer.from(text.split(".").map(Number))));
    case 6:
      return context(7, bytes(ipv6(canonicalName(text))));
    default:
      return context(2, text);
  }
}

/** Of an address without a dotted tail, which the canonical spelling never has. */
function ipv6(text: string): Buffer {
  const [head = [], tail = []] = text.split("::").map((half) => half.split(":").filter(Boolean));
  const gap = Array<string>(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...gap, ...tail].map((group) => group.padStart(4, "0"));
  return Buffer.from(groups.join(""), "hex");
}

/** UTCTime until 2049, GeneralizedTime from 2050 on: RFC 5280, section 4.1.2.5. */
function time(ms: number): Asn1 {
  const digits = rfc3339(ms)
    .slice(0, 19)
    .replaceAll(/[^0-9]/g, "");
  return digits < "2050"
    ? simple(Type.UTCTIME, `${digits.slice(2)}Z`)
    : simple(Type.GENERALIZEDTIME, `${digits}Z`);
}

function sequence(...parts: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

function simple(type: forge.asn1.Type, value: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, type, false, value);
}

function oid(id: string): Asn1 {
  return simple(Type.OID, asn1.oidToDer(id).getBytes());
}

/** forge's `create` wants a universal type; a tag number is one in its eyes. */
function context(tag: number, value: string | Asn1[]): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, typeof value !== "string", value);
}

function children(node: Asn1 | undefined): readonly Asn1[] {
  return typeof node?.value === "object" ? node.value : [];
}

function valueOf(node: Asn1): string | undefined {
  return typeof node.value === "string" ? node.value : undefined;
}

function der(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "binary");
}

/** forge's bytes: one character each. */
function bytes(raw: Uint8Array | string): string {
  return typeof raw === "string" ? raw : Buffer.from(raw).toString("binary");
}
