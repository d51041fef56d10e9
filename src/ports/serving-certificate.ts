import type { InjectionToken } from "tsyringe";

/** What a TLS server shows and signs with. Both PEM. */
export interface ServingCertificate {
  /** The leaf, then what lies between it and its CA. */
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate of the moment. Whoever serves with it takes a new one for new connections and finds out itself whether key
 * and certificate fit: one that is of no use is reported and the one before stays.
 */
export interface ServingCertificates {
  /** undefined: there is none yet. */
  current(): ServingCertificate | undefined;
  /** Calls `listener` with each later one, in the tick in which `current` changes. The answer ends that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
}
export const ServingCertificates: InjectionToken<ServingCertificates> =
  Symbol("ServingCertificates");
