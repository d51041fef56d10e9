/** Certificates as text and as what is decided upon. Read with node:crypto. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Lifetime } from "./lifetime.js";

/** One certificate and what rotation has to know of it. */
export interface Certificate extends Lifetime {
  /** One PEM block with a line break at its end. */
  readonly pem: string;
  /** SHA-256 of the DER, hex: two certificates are the same if and only if this is. */
  readonly id: string;
  readonly isCa: boolean;
  /** The subject's names, DNS in lower case, addresses as `canonicalName` writes them. */
  readonly names: readonly string[];
  readonly isForServers: boolean;
  readonly isForClients: boolean;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Every certificate of a PEM text, in its order, each once; what cannot be read is left out. */
export function parseCertificates(text: string): readonly Certificate[] {
  const parsed = (text.match(BLOCK) ?? []).flatMap((block) => parseCertificate(block) ?? []);
  return [...new Map(parsed.map((certificate) => [certificate.id, certificate])).values()];
}

/** undefined when it is none. */
export function parseCertificate(pem: string): Certificate | undefined {
  const x509 = read(pem);
  if (x509 === undefined) return undefined;
  // Typed as always there; a certificate without the extension has none.
  const usages: readonly string[] | undefined = x509.keyUsage;
  return {
    pem: x509.toString(),
    id: x509.fingerprint256.replaceAll(":", "").toLowerCase(),
    notBeforeMs: x509.validFromDate.getTime(),
    notAfterMs: x509.validToDate.getTime(),
    isCa: x509.ca,
    names: namesOf(x509.subjectAltName ?? ""),
    isForServers: usages?.includes(SERVER_AUTH) ?? true,
    isForClients: usages?.includes(CLIENT_AUTH) ?? true,
  };
}

/** Does this private key (PEM) belong to this certificate? False also when it cannot be read. */
export function fitsKey({ pem }: Certificate, key: string): boolean {
  const x509 = read(pem);
  const privateKey = readKey(key);
  return x509 !== undefined && privateKey !== undefined && x509.checkPrivateKey(privateKey);
}

/** Can this private key (PEM) sign certificates here? */
export function isSigningKey(key: string): boolean {
  return readKey(key)?.asymmetricKeyType === "ec";
}

/** Did `ca` sign `certificate`? Dates are not looked at. */
export function isIssuedBy(certificate: Certificate, ca: Certificate): boolean {
  const [child, parent] = [read(certificate.pem), read(ca.pem)];
  if (child === undefined || parent === undefined || !ca.isCa) return false;
  return child.checkIssued(parent) && child.verify(parent.publicKey);
}

/** One spelling for each name: lower case, IPv6 as RFC 5952 writes it. */
export function canonicalName(name: string): string {
  if (!isIPv6(name)) return name.toLowerCase();
  return new URL(`http://[${name}]`).hostname.slice(1, -1);
}

/** Out of "DNS:a.b, IP Address:0:0:0:0:0:0:0:1". What node puts in quotes is no name that anybody connects to. */
function namesOf(alternateNames: string): readonly string[] {
  return alternateNames.split(", ").flatMap((entry) => {
    const [, name] = /^(?:DNS|IP Address):([^"]+)$/.exec(entry) ?? [];
    return name === undefined ? [] : [canonicalName(name)];
  });
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined; // whoever asks says what is wrong with it
  }
}

function readKey(pem: string): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined; // as above
  }
}
