/** What AWS gives to sign requests with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  /** Secret. */
  readonly secretAccessKey: string;
  /** Secret; only temporary keys have one. */
  readonly sessionToken: string | undefined;
  /** Wall clock; undefined: they have no end. */
  readonly endsAtMs: number | undefined;
}
