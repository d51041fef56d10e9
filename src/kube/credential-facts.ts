/** What a credential is, and when it ends, for tools that look at it. Never shown: the credential. */
import type { CredentialFacts } from "../ports/inspected-cluster.js";
import type { Credential } from "./credential.js";

export function credentialFacts({ origin, headers, tls, life }: Credential): CredentialFacts {
  return {
    server: origin,
    ca: tls.ca?.toString(),
    kind: kindOf({ headers, tls }),
    issuedAtMs: life?.beganAtMs,
    expiresAtMs: life?.endsAtMs,
  };
}

/** A token before a certificate: API servers look at the certificate first, but kubeconfigs have one of the two. */
function kindOf({ headers, tls }: Pick<Credential, "headers" | "tls">): CredentialFacts["kind"] {
  if (headers.some((value) => value.startsWith("Bearer "))) return "token";
  return tls.cert === undefined ? "none" : "client-certificate";
}
