/** A page for people: `/`, its stream of changes, and the files that browsers load with it. What it is about: PageContent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../ports/clock.js";
import { browserModule, icon, styleSheet } from "./assets.js";
import { pageHtml } from "./page-html.js";
import type { PageContent } from "./page-view.js";
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

const FILES: readonly (readonly [path: string, type: string, text: () => string])[] = [
  ["/page.css", "text/css; charset=utf-8", styleSheet],
  ["/page.js", "text/javascript; charset=utf-8", browserModule],
  ["/page.svg", "image/svg+xml", icon],
];

export class Page {
  readonly #viewers: Viewers;

  constructor(
    private readonly content: PageContent,
    clock: Clock,
  ) {
    this.#viewers = new Viewers(clock);
  }

  /** Adds the routes. Names of objects are for those whom `whyForbidden` lets pass. */
  serve(app: FastifyInstance, whyForbidden: WhyForbidden): void {
    const { content } = this;
    const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.headers(SECURITY_HEADERS);
      const reason = whyForbidden(request);
      if (reason !== undefined) await reply.code(403).type(TEXT).send(`${reason}\n`);
    };
    const options = { onRequest: guard };
    app.get("/", options, async ({ query }, reply) => {
      const html = pageHtml(content.layout(query), await content.view(query));
      return reply.type("text/html; charset=utf-8").send(html);
    });
    for (const [path, type, text] of FILES) {
      app.get(path, options, async (_request, reply) => reply.type(type).send(text()));
    }
    app.get("/page.events", options, async (request, reply) => this.#stream(request, reply));
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
    await this.#viewers.serve(reply.raw, () => this.content.view(request.query));
    return undefined;
  }
}
