/**
 * The admission port: TLS with a certificate that is exchanged while it runs, and an end that no API server notices.
 *
 * Stop, step by step:
 * 1. Not ready: the pod leaves its Service. API servers hear of that some time later.
 * 2. Everything is answered as ever, with `Connection: close`: what is sent on comes over new connections, which go to the other
 *    replicas as soon as the API server's side knows. That may take long where kube-proxy has much to do, so this goes on until
 *    nobody has asked for `drainMs`, for `maxDrainMs` at most.
 * 3. Nothing is accepted any more, idle connections are closed.
 * 4. What is in flight has `finishMs` to end; then it is cut off.
 *
 * NB: a review that is sent in the very moment in which its idle connection is closed is lost, as HTTP/1.1 has it: the API server
 * does not repeat a POST. It takes the connection that it used last, so one that nobody has used for `drainMs` is hardly taken then.
 */
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { inject, injectable, type InjectionToken } from "tsyringe";
import { Clock } from "../src/ports/clock.js";
import type { Readiness } from "../src/ports/health.js";
import { listen } from "../src/ports/listen.js";
import { ServingCertificates, type ServingCertificate } from "../src/ports/serving-certificate.js";
import { admissionApp, type AdmissionApp } from "./admission-app.js";
import { AdmissionHandlers } from "./admission-handler.js";
import { AdmissionReporter } from "./admission-reporter.js";
import type { Limits } from "./limits.js";
import { openSockets } from "./open-sockets.js";

/** What the admission port is told by the configuration. */
export interface WebhookSettings {
  readonly bindAddress: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** At least so long, and until nobody has asked for so long. */
  readonly drainMs: number;
  /** At most so long, whoever goes on asking. */
  readonly maxDrainMs: number;
  readonly finishMs: number;
  readonly limits: Limits;
}
export const WebhookSettings: InjectionToken<WebhookSettings> = Symbol("WebhookSettings");

/** An API server keeps 25 and opens more under load; three of them have a tenth of this. The rest is no API server. */
const MAX_CONNECTIONS = 1_000;

type State = "waiting for a certificate" | "listening" | "draining" | "stopped";

@injectable()
export class WebhookServer {
  #state: State = "waiting for a certificate";
  #app: AdmissionApp | undefined;
  /** The last one that was of use. */
  #certificate: ServingCertificate | undefined;
  #unsubscribe: () => void = () => undefined;
  #sockets: ReadonlySet<Duplex> = new Set();
  /** Monotonic ms at which the last request came. */
  #lastAskedMs = -Infinity;

  constructor(
    @inject(WebhookSettings) private readonly settings: WebhookSettings,
    @inject(ServingCertificates) private readonly certificates: ServingCertificates,
    @inject(AdmissionHandlers) private readonly handlers: AdmissionHandlers,
    @inject(AdmissionReporter) private readonly reporter: AdmissionReporter,
    @inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Waits for a certificate that is of use, listens, and resolves with the port; with undefined when `signal` aborts first.
   * Nobody may wait for it to elect a leader: the leader is who makes the first certificate.
   * @throws when the port is taken or may not be had
   */
  async start(signal: AbortSignal): Promise<number | undefined> {
    await this.#firstCertificate(signal);
    if (signal.aborted || this.#certificate === undefined) return undefined;
    const { settings, handlers, reporter, clock } = this;
    const app = admissionApp({
      tls: secureContext(this.#certificate),
      limits: settings.limits,
      clock,
      handlers,
      reporter,
      isDraining: () => this.#state === "draining",
    });
    app.server.maxConnections = MAX_CONNECTIONS;
    this.#sockets = openSockets(app.server);
    app.server.on("request", () => (this.#lastAskedMs = clock.monotonicMs()));
    this.#app = app;
    const bound = await listen(app, { host: settings.bindAddress, port: settings.port });
    if (this.#state === "waiting for a certificate") this.#state = "listening";
    reporter.listening(bound.port, bound.address);
    return bound.port;
  }

  /** Whether API servers may send reviews here. */
  readiness(): Readiness {
    const ok = this.#state === "listening";
    return { ok, waitingFor: ok ? [] : [`the webhook is ${this.#state}`] };
  }

  /** Resolves when nothing is in flight any more. Does nothing when it never listened. */
  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    this.#unsubscribe();
    if (app === undefined) return;
    const { clock, settings, reporter } = this;
    const { drainMs, finishMs } = settings;
    this.#state = "draining";
    reporter.draining(drainMs);
    const closed = new AbortController();
    await this.#quiet(closed.signal);
    const closing = app.close();
    const timeUp = clock.sleep(finishMs, closed.signal).then(() => this.#sockets.size);
    const cutConnections = await Promise.race([closing.then(() => 0), timeUp]);
    closed.abort();
    this.#state = "stopped";
    reporter.stopped(cutConnections);
    // Also those whose handshake or first request never came to its end.
    for (const socket of this.#sockets) socket.destroy();
    await closing;
  }

  /** Resolves when API servers ask others: nobody has asked here for a while. */
  async #quiet(signal: AbortSignal): Promise<void> {
    const { clock } = this;
    const { drainMs, maxDrainMs } = this.settings;
    const beganMs = clock.monotonicMs();
    const leftMs = (): number => {
      const quietAtMs = Math.max(beganMs, this.#lastAskedMs) + drainMs;
      return Math.min(quietAtMs, beganMs + maxDrainMs) - clock.monotonicMs();
    };
    while (leftMs() > 0) await clock.sleep(leftMs(), signal);
  }

  /** The first one that is of use; all later ones are served as they come. */
  #firstCertificate(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const take = (certificate: ServingCertificate): void => {
        this.#serve(certificate);
        if (this.#certificate !== undefined) resolve();
      };
      this.#unsubscribe = this.certificates.onChange(take);
      signal.addEventListener("abort", () => resolve(), { once: true });
      const current = this.certificates.current();
      if (current !== undefined) take(current);
    });
  }

  /**
   * For new connections at once; those that are open keep what they have, and nobody verifies it again. Before there is a
   * server it only finds out whether the certificate is of use.
   */
  #serve(certificate: ServingCertificate): void {
    try {
      const context = secureContext(certificate);
      // Throws when key and certificate do not belong together, before anything has changed.
      createSecureContext(context);
      this.#app?.server.setSecureContext(context);
    } catch (error) {
      this.reporter.certificateRefused(error);
      return;
    }
    this.#certificate = certificate;
    this.reporter.certificateServed();
  }
}

/** @throws when a part is missing: a context without key is made gladly, and refuses every handshake */
function secureContext({ cert, key }: ServingCertificate): SecureContextOptions {
  if (cert === "" || key === "") throw new TypeError("the certificate or its key is empty");
  return { cert, key, minVersion: "TLSv1.2" };
}
