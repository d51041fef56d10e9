/** The connections to one API server. */

import { Pool } from "undici";
import type { Credential } from "./credential.js";

interface Pools {
  readonly connectionId: string;
  readonly requests: Pool;
  readonly watches: Pool;
  readonly fresh: Pool;
}

/** After this long without a connection the server counts as unreachable. */
const CONNECT_TIMEOUT_MS = 5_000;
/**
 * An idle connection is closed by us first: load balancers drop it silently after 60 s (AWS), API servers after 90 s
 * (apiserver pkg/server/secure_serving.go, IdleTimeout), and a write that meets such a close fails for nothing.
 */
const IDLE_MS = 50_000;
/** TCP keep-alive, as client-go: half-dead connections below an idle watch are found by the kernel too. */
const KEEP_ALIVE_PROBE_MS = 30_000;
/** Last resort of undici's own timers; the limits that people rely on run on the Clock and are shorter. */
const BACKSTOP_MS = 300_000;

/**
 * Two pools: one for requests, with at most `maxConnections`, and one for watches, which live for minutes each and
 * would otherwise eat the first. A third one keeps no connection: who asks over it learns where the address leads now,
 * whatever older connections still lead to. HTTP/1.1, because one connection per request in flight is what makes a turn of the
 * Limiter mean a free connection.
 *
 * A credential with another server or other keys gets pools of its own; the old ones close as their requests end,
 * and watches on them go on until their next reconnect.
 */
export class Connections {
  #pools: Pools | undefined;
  readonly #closing = new Set<Pool>();
  #opened = 0;

  constructor(
    private readonly maxConnections: number,
    private readonly onOpened: () => void,
  ) {}

  /** Connections established so far; those for a single fresh request are not counted. */
  get opened(): number {
    return this.#opened;
  }

  /** The pool for a request or a watch with this credential. */
  pool(credential: Credential, use: "requests" | "watches" | "fresh"): Pool {
    if (this.#pools?.connectionId !== credential.connectionId) {
      this.#retire();
      this.#pools = {
        connectionId: credential.connectionId,
        requests: this.#open(credential, this.maxConnections),
        watches: this.#open(credential, null),
        fresh: this.#openFresh(credential),
      };
    }
    return this.#pools[use];
  }

  /** Breaks everything off and waits until the sockets are closed. A later `pool` would open new ones. */
  async close(): Promise<void> {
    const current = this.#current();
    this.#pools = undefined;
    // NB: `close` of a pool that is destroyed with requests in its queue never ends, so nobody waits for that.
    await Promise.all([...this.#closing, ...current].map((pool) => pool.destroy()));
  }

  #open(credential: Credential, connections: number | null): Pool {
    const backstopMs = connections === null ? 0 : BACKSTOP_MS;
    const pool = new Pool(credential.origin, {
      ...poolOptions(credential, backstopMs),
      connections,
      keepAliveTimeout: IDLE_MS,
    });
    pool.on("connect", () => {
      this.#opened += 1;
      this.onOpened();
    });
    return pool;
  }

  #openFresh(credential: Credential): Pool {
    const options = poolOptions(credential, BACKSTOP_MS);
    // NB: undici closes the connection after each request then, and tells the server so.
    const pool = new Pool(credential.origin, { ...options, connections: 1, pipelining: 0 });
    pool.on("connect", () => this.onOpened());
    return pool;
  }

  #current(): readonly Pool[] {
    if (this.#pools === undefined) return [];
    const { requests, watches, fresh } = this.#pools;
    return [requests, watches, fresh];
  }

  #retire(): void {
    for (const pool of this.#current()) {
      this.#closing.add(pool);
      pool.close(() => this.#closing.delete(pool));
    }
    this.#pools = undefined;
  }
}

/** @param backstopMs limit of undici's own for an answer; 0: none */
export function poolOptions(credential: Credential, backstopMs: number): Pool.Options {
  return {
    allowH2: false,
    headersTimeout: backstopMs,
    bodyTimeout: backstopMs,
    connect: {
      ...credential.tls,
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    },
  };
}
