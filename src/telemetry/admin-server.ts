/** Keeps an admin port: the first thing that starts (health must answer before anything can fail), the last that stops. */
import type { FastifyInstance } from "fastify";
import { inject, injectable } from "tsyringe";
import { listen } from "../ports/listen.js";
import { Log } from "../ports/log.js";
import { AdminSettings } from "./admin-app.js";
import { AdminApp } from "./bare-app.js";

@injectable()
export class AdminServer {
  #app: FastifyInstance | undefined;

  constructor(
    @inject(AdminSettings) private readonly settings: AdminSettings,
    @inject(AdminApp) private readonly makeApp: AdminApp,
    @inject(Log) private readonly log: Log,
  ) {}

  /**
   * Listens, and resolves with the port.
   * @throws when the port is taken or may not be had: the process cannot be watched then, and ends
   */
  async start(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const app = this.makeApp();
    this.#app = app;
    const { bindAddress: host, port } = this.settings;
    const bound = await listen(app, { host, port });
    this.log.info({ port: bound.port, address: bound.address }, "admin server listening");
    return bound.port;
  }

  /** Closes all connections. Does nothing when it never started. */
  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = undefined;
  }
}
