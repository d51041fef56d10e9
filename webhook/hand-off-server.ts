/**
 * The leader's end of the hand-off, which every replica keeps open: whoever leads tomorrow is reached at once.
 *
 * It listens before there is any certificate, so that its address can be published; until then every handshake fails. Each new
 * identity is for new connections, those that are open keep what they were verified with.
 */
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../src/ports/clock.js";
import type { HandOffReceiver } from "../src/ports/hand-off.js";
import type { HandOffIdentities, HandOffIdentity } from "../src/ports/hand-off-identity.js";
import { listen } from "../src/ports/listen.js";
import type { Log } from "../src/ports/log.js";
import { handOffApp, type HandOffApp, type PageOfLeader } from "./hand-off-app.js";
import { HandOffReporter } from "./hand-off-reporter.js";
import { handOffTls, isPeer } from "./hand-off-tls.js";
import { HAND_OFF_LIMITS, type Limits } from "./limits.js";
import { openSockets } from "./open-sockets.js";

export interface HandOffSettings {
  readonly bindAddress: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly limits?: Limits | undefined;
}

export interface HandOffServerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly identities: HandOffIdentities;
  readonly receive: HandOffReceiver;
  readonly page: PageOfLeader;
}

/** A replica has one. The rest is for those that come anew before their old one is found dead, and for strangers in a handshake. */
const MAX_CONNECTIONS = 100;

export class HandOffServer {
  readonly #reporter: HandOffReporter;
  #app: HandOffApp | undefined;
  /** The last one that was of use. */
  #identity: HandOffIdentity | undefined;
  #unsubscribe: () => void = () => undefined;
  #sockets: ReadonlySet<Duplex> = new Set();

  constructor(
    private readonly settings: HandOffSettings,
    private readonly parts: HandOffServerParts,
  ) {
    this.#reporter = new HandOffReporter(parts.clock, parts.log);
  }

  /**
   * Listens, and resolves with the port.
   * @throws when the port is taken or may not be had
   */
  async start(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const { bindAddress: host, port, limits = HAND_OFF_LIMITS } = this.settings;
    const { identities, receive, page } = this.parts;
    const isServing = (): boolean => this.#identity !== undefined;
    const app = handOffApp({ limits, receive, page, reporter: this.#reporter, isServing });
    this.#app = app;
    this.#guard(app);
    this.#unsubscribe = identities.onChange((identity) => this.#show(identity));
    const current = identities.current();
    if (current !== undefined) this.#show(current);
    const bound = await listen(app, { host, port });
    this.#reporter.listening(bound.port, bound.address);
    return bound.port;
  }

  /** Closes everything at once: what was not answered is delivered again. Does nothing when it never started. */
  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    this.#unsubscribe();
    const closing = app?.close();
    // Also those in the middle of their handshake.
    for (const socket of this.#sockets) socket.destroy();
    await closing;
  }

  #guard({ server }: HandOffApp): void {
    server.maxConnections = MAX_CONNECTIONS;
    this.#sockets = openSockets(server);
    // Before the server reads a byte of it.
    server.prependListener("secureConnection", (socket) => this.#letIn(socket));
  }

  /** TLS has verified that one of our CAs signed it; so it has for API servers' view of us, which is another name. */
  #letIn(socket: TLSSocket): void {
    const identity = this.#identity;
    if (identity !== undefined && isPeer(socket.getPeerX509Certificate(), identity)) return;
    this.#reporter.strangerRefused("its certificate has another name");
    socket.destroy();
  }

  #show(identity: HandOffIdentity): void {
    try {
      // Throws when key and certificate do not belong together; then the context before stays.
      this.#app?.server.setSecureContext(handOffTls(identity));
    } catch (error) {
      this.#reporter.identityRefused(error);
      return;
    }
    this.#identity = identity;
  }
}
