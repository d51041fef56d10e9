/** How one etcd is reached, as its user says it, and what is made of that. */

/** Files as PEM; undefined: the CAs that Node.js brings along, or no client certificate. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The server's certificate is not verified. */
  readonly skipVerify: boolean;
}

export interface EtcdUser {
  readonly name: string;
  /** Asked for at each login, since it may have been changed. What it throws is a login that failed. */
  readonly password: () => Promise<string>;
}

export interface EtcdOptions {
  /** What logs and metrics call it: "source" or "destination". */
  readonly name: string;
  /** `host:port`, `http://host:port` or `https://host:port`; at least one. */
  readonly endpoints: readonly string[];
  /** Plain text also where the endpoint does not say `http://`. */
  readonly insecureTransport: boolean;
  readonly tls: TlsFiles;
  readonly user?: EtcdUser | undefined;
  /** A key that the user may read: what `revision` asks for. It need not exist. */
  readonly readableKey: string;
  /** undefined: whoever answers first. */
  readonly expectedClusterId?: bigint | undefined;
  readonly dialTimeoutMs: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** How long one call may take on one endpoint, ms. */
  readonly callTimeoutMs: number;
}

/** etcd-carry's defaults where it has them; the deadline of a call is ours: etcd's own for a proposal is 7 s. */
export const ETCD_DEFAULTS = {
  insecureTransport: false,
  readableKey: "/svc-ferry/",
  tls: { ca: undefined, cert: undefined, key: undefined, skipVerify: false },
  dialTimeoutMs: 2_000,
  keepaliveTimeMs: 5_000,
  keepaliveTimeoutMs: 6_000,
  callTimeoutMs: 10_000,
} as const;

/** Servers end connections that ping more often. Source: etcd server/embed/config.go, DefaultGRPCKeepAliveMinTime. */
export const MIN_KEEPALIVE_MS = 5_000;

/** Where to connect, and whether with TLS. */
export interface Endpoint {
  /** `host:port`, as logs show it. */
  readonly address: string;
  readonly secure: boolean;
}

/** @throws Error for what is no endpoint; the message names it */
export function parseEndpoint(text: string, insecureTransport: boolean): Endpoint {
  const parts = /^(?:(https?):\/\/)?((?:\[[\da-fA-F:.]+\]|[^\s/:@]+):(\d{1,5}))\/?$/.exec(
    text.trim(),
  );
  const [, scheme, address, port] = parts ?? [];
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`"${text}" is no etcd endpoint: host:port or https://host:port is`);
  }
  if (scheme === undefined) return { address, secure: !insecureTransport };
  return { address, secure: scheme === "https" };
}
