import type { FastifyInstance } from "fastify";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";

/**
 * Listens, and says where. On a host without IPv6 the default "::" cannot be had: then all of IPv4.
 * @throws when the port is taken or may not be had
 */
export async function listen(
  app: FastifyInstance<Server>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
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
