import type { Server } from "node:net";
import type { Duplex } from "node:stream";

/** Connections of a server that are open now, also those in the middle of their handshake: of them its `close` knows nothing. */
export function openSockets(server: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}
