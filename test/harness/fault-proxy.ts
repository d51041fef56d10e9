import { connect, createServer, type Server, type Socket } from "node:net";
import { listenOnFreePort } from "../controlplane/free-port.js";
import { type Direction, type LineFaults, Pump } from "./pump.js";

/** Where a proxy leads. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP proxy on loopback that misbehaves on demand. It knows nothing of TLS: certificates and credentials are the
 * target's. Faults last until `pass()`, and one call replaces the fault before it; only `cut()` is a single blow.
 */
export class FaultProxy {
  readonly #connections = new Set<Connection>();
  #faults: Faults = PASS;
  #accepted = 0;

  /** Made by startFaultProxy. */
  constructor(
    private readonly server: Server,
    /** Its own, on 127.0.0.1. */
    readonly port: number,
    private target: ProxyTarget,
  ) {
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** For a kubeconfig: `https://127.0.0.1:PORT`. */
  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Connections accepted since the start, refused ones included. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections open now. */
  get open(): number {
    return this.#connections.size;
  }

  /** No fault. What a blackhole held back arrives now, as after a healed network. */
  pass(): void {
    this.#become(PASS);
  }

  /** New connections are reset at once; open ones go on. */
  refuse(): void {
    this.#become({ ...PASS, refuse: true });
  }

  /** All open connections are reset, both ends see ECONNRESET. */
  cut(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /**
   * Nothing travels in the given direction, no byte and no end, in open connections and in new ones, which are accepted.
   * "both" is the half-open connection: either end believes in it.
   */
  blackhole(direction: Direction | "both" = "both"): void {
    this.#become({ ...PASS, silent: direction });
  }

  /** Every byte arrives `delayMs` later, in each direction; how many may travel is not limited by that. */
  delay(delayMs: number): void {
    this.#become({ ...PASS, delayMs });
  }

  /** At most so many bytes a second, per connection and direction. */
  throttle(bytesPerSecond: number): void {
    this.#become({ ...PASS, bytesPerSecond });
  }

  /** New connections lead somewhere else: a server replaced behind its address. */
  retarget(target: ProxyTarget): void {
    this.target = target;
  }

  /** Resets what is open and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #become(faults: Faults): void {
    this.#faults = faults;
    for (const connection of this.#connections) connection.faultsChanged();
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    if (this.#faults.refuse) {
      socket.on("error", () => {});
      socket.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const connection = new Connection(socket, upstream, (direction) => this.#faultsFor(direction));
    this.#connections.add(connection);
    connection.onClosed(() => this.#connections.delete(connection));
  }

  #faultsFor(direction: Direction): LineFaults {
    const { silent, delayMs, bytesPerSecond } = this.#faults;
    return { silent: silent === "both" || silent === direction, delayMs, bytesPerSecond };
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function startFaultProxy(target: ProxyTarget): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  return new FaultProxy(server, await listenOnFreePort(server), target);
}

interface Faults {
  readonly refuse: boolean;
  readonly silent: Direction | "both" | "none";
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const PASS: Faults = {
  refuse: false,
  silent: "none",
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};

/** Two sockets and a pump for each direction. */
class Connection {
  readonly #pumps: readonly Pump[];

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    faults: (direction: Direction) => LineFaults,
  ) {
    this.#pumps = [
      new Pump(client, upstream, () => faults("to-server")),
      new Pump(upstream, client, () => faults("to-client")),
    ];
  }

  faultsChanged(): void {
    for (const pump of this.#pumps) pump.faultsChanged();
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.upstream.resetAndDestroy();
  }

  onClosed(closed: () => void): void {
    let open = 2;
    for (const socket of [this.client, this.upstream]) {
      socket.once("close", () => {
        open--;
        if (open === 0) closed();
      });
    }
  }
}
