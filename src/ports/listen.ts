/** How every server of this process comes to its port. */
import type { AddressInfo } from "node:net";

/** As far as a server is needed to listen; a fastify instance is one. */
export interface Listener {
  readonly server: { address(): AddressInfo | string | null };
  listen(at: ListenAt): Promise<unknown>;
}

export interface ListenAt {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/**
 * Listens, and says where. On a host without IPv6 the default "::" cannot be had: then all of IPv4.
 * @throws when the port is taken or may not be had
 */
export async function listen(app: Listener, { host, port }: ListenAt): Promise<AddressInfo> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    if (host !== "::" || (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL")) throw error;
    await app.listen({ host: "0.0.0.0", port });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("no TCP address");
  return bound;
}
