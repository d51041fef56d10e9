import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { bareApp } from "../../src/telemetry/bare-app.js";
import type { PageContent } from "../../src/telemetry/page/page-view.js";
import { Page } from "../../src/telemetry/page/page.js";

/** A page as an admin port serves it, about whatever a test makes up; it can go away and come back. */
export class PageServer {
  #app: FastifyInstance | undefined;
  #port = 0;

  constructor(private readonly content: PageContent) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens; again where it did before. */
  async start(): Promise<void> {
    const app = bareApp();
    new Page(this.content, new SystemClock()).serve(app, () => undefined);
    await this.#listen(app);
  }

  /** In its place something that answers each request with 502, as a proxy does whose backend is gone. */
  async startBroken(): Promise<void> {
    const app = bareApp();
    app.get("*", async (_request, reply) => reply.code(502).send("no backend\n"));
    await this.#listen(app);
  }

  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = undefined;
  }

  async #listen(app: FastifyInstance): Promise<void> {
    this.#app = app;
    await app.listen({ host: "127.0.0.1", port: this.#port });
    this.#port = (app.server.address() as AddressInfo).port;
  }
}
