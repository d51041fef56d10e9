import { connect, createServer, type Server, type Socket } from "node:net";
import { listenOnFreePort } from "../controlplane/free-port.js";

/** A Service of the test bed: TCP connections to one address go to several ports on loopback in turn. */
export class Balancer {
  readonly #sockets = new Set<Socket>();
  #targets: readonly number[] = [];
  #next = 0;

  /** Made by startBalancer. */
  constructor(
    private readonly server: Server,
    readonly port: number,
  ) {
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** Where new connections lead; none: they are reset. */
  leadTo(...ports: readonly number[]): void {
    this.#targets = ports;
  }

  /** All open connections end; the next requests come over new ones. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.server.close(() => closed.resolve());
    this.cut();
    await closed.promise;
  }

  #accept(socket: Socket): void {
    const port = this.#targets[this.#next % Math.max(1, this.#targets.length)];
    this.#next += 1;
    this.#track(socket);
    if (port === undefined) {
      socket.resetAndDestroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    this.#track(upstream);
    socket.pipe(upstream).pipe(socket);
    socket.once("close", () => upstream.destroy());
    upstream.once("close", () => socket.destroy());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

export async function startBalancer(): Promise<Balancer> {
  const server = createServer();
  return new Balancer(server, await listenOnFreePort(server));
}
