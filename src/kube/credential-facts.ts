/** When a credential ends, read from itself. Never shown: the credential. */

import { X509Certificate } from "node:crypto";
import type { CredentialFacts } from "../ports/inspected-cluster.js";
import type { Credential } from "./credential.js";
import { isRecord, parseJson } from "./json.js";

/** A token before a certificate: API servers look at the certificate first, but kubeconfigs have one of the two. */
export function credentialFacts({ origin, headers, tls }: Credential): CredentialFacts {
  const server = { server: origin, ca: tls.ca?.toString() };
  const bearer = headers.find((value) => value.startsWith("Bearer "))?.slice("Bearer ".length);
  if (bearer !== undefined) return { ...server, kind: "token", ...tokenDates(bearer) };
  if (tls.cert !== undefined) {
    return { ...server, kind: "client-certificate", ...certificateDates(tls.cert) };
  }
  return { ...server, kind: "none", ...NO_DATES };
}

type Dates = Pick<CredentialFacts, "issuedAtMs" | "expiresAtMs">;

const NO_DATES: Dates = { issuedAtMs: undefined, expiresAtMs: undefined };

/** Of a JWT (RFC 7519, section 4.1); the signature is the server's business. */
function tokenDates(token: string): Dates {
  const [, payload = ""] = token.split(".");
  const claims = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  if (!isRecord(claims)) return NO_DATES;
  return { issuedAtMs: seconds(claims["iat"]), expiresAtMs: seconds(claims["exp"]) };
}

function certificateDates(pem: string | Buffer): Dates {
  try {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    return { issuedAtMs: validFromDate.getTime(), expiresAtMs: validToDate.getTime() };
  } catch {
    // A certificate that cannot be read is refused by the server, which says so better than we could.
    return NO_DATES;
  }
}

function seconds(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value * 1_000 : undefined;
}
