/** The page for people: `/`, its stream of changes, and the two files that browsers load with it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { inject, injectable } from "tsyringe";
import { AuditLines } from "../../ports/audit-lines.js";
import { Clock } from "../../ports/clock.js";
import { StatusSource } from "../../ports/status.js";
import { browserModule, styleSheet } from "./assets.js";
import { pageHtml } from "./page-html.js";
import { parseQuery } from "./page-query.js";
import { pageCount, pageView, type PageView } from "./page-view.js";
import { Viewers } from "./viewers.js";

/** Why this one may not look; undefined: he may. */
export type WhyForbidden = (request: FastifyRequest) => string | undefined;

/**
 * Nothing from elsewhere, nothing inline, no frames: a name of a Service that is a script stays a name, and a page of
 * somebody else cannot lead a click to this one.
 */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const TEXT = "text/plain; charset=utf-8";

@injectable()
export class Page {
  readonly #viewers: Viewers;

  constructor(
    @inject(StatusSource) private readonly status: StatusSource,
    @inject(AuditLines) private readonly audit: AuditLines,
    @inject(Clock) clock: Clock,
  ) {
    this.#viewers = new Viewers(clock);
  }

  /** Adds the routes. Names of Services are for those whom `whyForbidden` lets pass. */
  serve(app: FastifyInstance, whyForbidden: WhyForbidden): void {
    const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.headers(SECURITY_HEADERS);
      const reason = whyForbidden(request);
      if (reason !== undefined) await reply.code(403).type(TEXT).send(`${reason}\n`);
    };
    const options = { onRequest: guard };
    app.get("/", options, async (request, reply) => {
      const query = parseQuery(request.query);
      const pages = pageCount(this.status.report(), query);
      return reply
        .type("text/html; charset=utf-8")
        .send(pageHtml(this.#view(request), { query, pages }));
    });
    app.get("/page.css", options, async (_request, reply) =>
      reply.type("text/css").send(styleSheet()),
    );
    app.get("/page.js", options, async (_request, reply) =>
      reply.type("text/javascript; charset=utf-8").send(browserModule()),
    );
    app.get("/page.events", options, async (request, reply) => this.#stream(request, reply));
  }

  #view(request: FastifyRequest): PageView {
    return pageView(this.status.report(), this.audit.latest(), parseQuery(request.query));
  }

  async #stream(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    if (this.#viewers.isFull) {
      return reply.code(503).type(TEXT).send("too many are looking: close other tabs\n");
    }
    reply.hijack();
    reply.raw.writeHead(200, {
      ...SECURITY_HEADERS,
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    await this.#viewers.serve(reply.raw, () => this.#view(request));
    return undefined;
  }
}
