/** What a client may take of the server, and for how long. */
export interface Limits {
  readonly maxBodyBytes: number;
  readonly keepAliveMs: number;
  readonly headersMs: number;
  readonly requestMs: number;
  readonly handshakeMs: number;
  /** How often Node looks for requests that took too long. */
  readonly checkEveryMs: number;
}

export const LIMITS: Limits = {
  /** 7 MiB: two objects of at most 3 MiB plus the envelope. Source: controller-runtime pkg/webhook/admission/http.go. */
  maxBodyBytes: 7 * 1_024 * 1_024,
  /**
   * Longer than the 90 s for which the API server keeps an idle connection (apimachinery pkg/util/net/http.go): it is always
   * the client that closes. Else it sends a review on a connection that we have just closed, and that call has failed.
   */
  keepAliveMs: 120_000,
  /** The API server sends them in one write. */
  headersMs: 10_000,
  /** The longest `timeoutSeconds`: nobody waits for an answer after that. */
  requestMs: 30_000,
  handshakeMs: 10_000,
  checkEveryMs: 2_000,
};

/** Of the hand-off, where both ends are replicas. */
export const HAND_OFF_LIMITS: Limits = {
  /** A batch of `MAX_BATCH_HINTS` with every text as long as it may be has some 650 kB. */
  maxBodyBytes: 1_024 * 1_024,
  /** Any pause between two changes; the client closes first, see hand-off-client.ts. */
  keepAliveMs: 120_000,
  /** The client gives up after 2 s. */
  headersMs: 5_000,
  requestMs: 5_000,
  handshakeMs: 5_000,
  checkEveryMs: 1_000,
};
