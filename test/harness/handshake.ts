import { connect } from "node:tls";

/**
 * Connects as a client does it that trusts `ca` (PEM) and calls 127.0.0.1.
 *
 * @returns what is wrong with the certificate that it is shown; undefined: nothing
 */
export function handshake(port: number, ca: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on("error", (error) => resolve(error.message));
  });
}
