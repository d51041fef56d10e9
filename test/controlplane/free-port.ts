import { createServer, type Server } from "node:net";

/**
 * Below the range from which Linux takes the local ports of outgoing connections (32768 and up, ip_local_port_range), and
 * not from that range as port 0 would be: a client that keeps calling a stopped server of that range ends up, once in
 * some 28,000 attempts, connected to itself, and any other connection may take the port before the server is back.
 */
const FIRST_PORT = 15_000;
const PORTS = 15_000;

const given = new Set<number>();

/**
 * A TCP port of 127.0.0.1 on which nobody listens now, never the same twice in one process. Another process may still
 * take it before it is used: whoever starts a server on it tries again with another.
 * @throws Error when 200 ports in a row are taken
 */
export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listenOnFreePort(probe);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/**
 * Makes a server of this process listen on such a port and returns it; nobody can come between.
 * @throws Error when 200 ports in a row are taken
 */
export async function listenOnFreePort(server: Server): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (given.has(port)) continue;
    given.add(port);
    if (await listens(server, port)) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${FIRST_PORT + PORTS}`);
}

async function listens(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const taken = (): void => resolve(false);
    server.once("error", taken);
    server.listen({ port, host: "127.0.0.1" }, () => {
      server.off("error", taken);
      resolve(true);
    });
  });
}
