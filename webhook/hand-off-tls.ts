/** What both ends of the hand-off show and demand: a certificate of our own CAs that bears the one name. */
import { constants, type X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { HandOffIdentity } from "../src/ports/hand-off-identity.js";

/**
 * Both ends are this program, so nothing older than TLS 1.3. Without tickets: a session that is resumed is not verified again, and
 * there is one connection between two replicas anyway.
 *
 * @throws when a part is missing: without a CA of its own Node trusts the public ones
 */
export function handOffTls({ cert, key, ca }: HandOffIdentity): SecureContextOptions {
  if (cert === "" || key === "" || ca === "") {
    throw new TypeError("the certificate, its key or the CA of the hand-off is empty");
  }
  return { cert, key, ca, minVersion: "TLSv1.3", secureOptions: constants.SSL_OP_NO_TICKET };
}

/** The common name does not count: it is for people. */
export function isPeer(
  certificate: X509Certificate | undefined,
  { name }: HandOffIdentity,
): boolean {
  return certificate?.checkHost(name, { subject: "never", wildcards: false }) !== undefined;
}
