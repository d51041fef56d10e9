/** At which layer a cluster could not be reached. Pure. */
import type { Remedy } from "../ports/doctor-report.js";

interface Layer {
  readonly layer: string;
  readonly remedy: Remedy;
}

const ADDRESS: Remedy = {
  text: "see the context's server in the kubeconfig, and whether this host resolves that name",
};
const PRIVATE: Remedy = {
  text: "a private endpoint? allow the pods' network in the firewall or security group of the API server",
};
const CA: Remedy = {
  text: "the kubeconfig's certificate-authority-data is not of the CA that signed the server's certificate: make the kubeconfig anew",
};
const NAME: Remedy = {
  text: "the server's certificate is not for the name in the kubeconfig: use a name that it is for, or set tls-server-name",
};
const DATES: Remedy = {
  text: "the server's certificate is out of its time: renew it, and see that this host's clock is right",
};

/** By the codes of Node's errors. Source: nodejs.org/api/errors.html, nodejs.org/api/tls.html (X509 certificate error codes). */
const LAYERS: Readonly<Record<string, Layer>> = {
  ENOTFOUND: { layer: "DNS: no such host", remedy: ADDRESS },
  EAI_AGAIN: { layer: "DNS: no answer", remedy: ADDRESS },
  ECONNREFUSED: {
    layer: "TCP: refused",
    remedy: { text: "nothing listens there: is the API server up, and the port right?" },
  },
  ETIMEDOUT: { layer: "TCP: no answer", remedy: PRIVATE },
  EHOSTUNREACH: { layer: "TCP: no way to the host", remedy: PRIVATE },
  ENETUNREACH: { layer: "TCP: no way to the network", remedy: PRIVATE },
  UND_ERR_CONNECT_TIMEOUT: { layer: "TCP: no answer", remedy: PRIVATE },
  DEPTH_ZERO_SELF_SIGNED_CERT: { layer: "TLS: unknown CA", remedy: CA },
  SELF_SIGNED_CERT_IN_CHAIN: { layer: "TLS: unknown CA", remedy: CA },
  UNABLE_TO_GET_ISSUER_CERT: { layer: "TLS: unknown CA", remedy: CA },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { layer: "TLS: unknown CA", remedy: CA },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { layer: "TLS: unknown CA", remedy: CA },
  ERR_TLS_CERT_ALTNAME_INVALID: { layer: "TLS: wrong name", remedy: NAME },
  CERT_HAS_EXPIRED: { layer: "TLS: certificate expired", remedy: DATES },
  CERT_NOT_YET_VALID: { layer: "TLS: certificate not valid yet", remedy: DATES },
};

/** undefined: the error, and what caused it, says nothing of a layer. */
export function layerOf(error: unknown): Layer | undefined {
  for (const code of codesOf(error)) {
    const layer = Object.hasOwn(LAYERS, code) ? LAYERS[code] : undefined;
    if (layer !== undefined) return layer;
  }
  return undefined;
}

/** Outermost first; a host with several addresses fails with an error for each. */
function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = "code" in error && typeof error.code === "string" ? [error.code] : [];
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...own, ...[...inner, error.cause].flatMap(codesOf)];
}
