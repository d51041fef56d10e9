/** The routes of the admission port. Listens nowhere by itself: see webhook-server.ts. */
import type { Server, ServerOptions } from "node:https";
import type { Duplex } from "node:stream";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Clock } from "../src/ports/clock.js";
import type { AdmissionHandler, AdmissionHandlers, Answer } from "./admission-handler.js";
import type { AdmissionReporter } from "./admission-reporter.js";
import { parseReview, type AdmissionReview } from "./admission-review.js";
import { ask, type Asked } from "./ask.js";
import { ENTRIES, entryOf, type Entry } from "./entry.js";
import type { Limits } from "./limits.js";
import { rawRejection, rejection, type RejectionStatus } from "./rejection.js";
import { outcomeOf, respond, type Outcome } from "./respond.js";
import { answerWithinMs } from "./time-left.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Monotonic ms at which its headers were here. */
    arrivedMs: number;
  }
}

export type AdmissionApp = FastifyInstance<Server>;

interface AppParts {
  /** Certificate, key and what the handshake may take. */
  readonly tls: ServerOptions;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly handlers: AdmissionHandlers;
  readonly reporter: AdmissionReporter;
  /** The server is about to go: each client is told to connect anew, elsewhere. */
  readonly isDraining: () => boolean;
}

export function admissionApp(parts: AppParts): AdmissionApp {
  const { limits, reporter, clock, tls } = parts;
  const app: AdmissionApp = fastify({
    logger: false,
    bodyLimit: limits.maxBodyBytes,
    keepAliveTimeout: limits.keepAliveMs,
    requestTimeout: limits.requestMs,
    // What still arrives while we close is answered as ever.
    return503OnClosing: false,
    // HTTP/1.1: the API server speaks nothing else to a Service. Source: kubernetes/apiserver pkg/util/webhook/client.go.
    https: {
      ...tls,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkEveryMs,
    },
    clientErrorHandler: (error, socket) => connectionFailed(error, socket, reporter),
    frameworkErrors: (_error, request, reply) => {
      reject(parts, request, reply, 400, "the URL cannot be read");
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    (_: unknown, body: Buffer, done) => done(null, body),
  );
  app.decorateRequest("arrivedMs", 0);
  // Without promises, here and below: the API server waits for each turn that an answer takes.
  app.addHook("onRequest", (request, reply, done) => {
    request.arrivedMs = clock.monotonicMs();
    const wrong = whyNotTaken(request);
    if (wrong === undefined) done();
    else reject(parts, request, reply, ...wrong);
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (parts.isDraining()) reply.header("connection", "close");
    done();
  });
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, request, reply) =>
    requestFailed(parts, error, request, reply),
  );
  for (const entry of ENTRIES) {
    app.post(`/${entry}`, (request, reply) => answerReview(parts, entry, request, reply));
  }
  return app;
}

/** An answer as it goes out. */
interface Written {
  readonly outcome: Outcome;
  readonly text: string;
}

/** A handler that answers from memory is answered for within this call. */
function answerReview(
  parts: AppParts,
  entry: Entry,
  request: FastifyRequest,
  reply: FastifyReply,
): void | Promise<void> {
  const { clock, handlers } = parts;
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const parsed = parseReview(body, handlers.keepAnnotation);
  if (parsed.kind === "bad") return void reject(parts, request, reply, 400, parsed.reason);
  const { review } = parsed;
  const handler: AdmissionHandler<Answer> = handlers[entry];
  const withinMs = answerWithinMs((request.query as Readonly<Record<string, unknown>>)["timeout"]);
  const budgetMs = request.arrivedMs + withinMs - clock.monotonicMs();
  const write = (answer: Answer): Written => {
    const outcome = outcomeOf(review, answer);
    return { outcome, text: respond(review, answer, outcome) };
  };
  const asked = ask(handler, review, { clock, budgetMs, write });
  const tell = (one: Asked<Written>): void => {
    const { outcome, text } = one.kind === "answered" ? one.result : untold(review, entry, one);
    reply.type(JSON_TYPE).send(text);
    report(parts, one, { entry, review, outcome, arrivedMs: request.arrivedMs });
  };
  return asked instanceof Promise ? asked.then(tell) : tell(asked);
}

/** After the answer is out: nobody waits for it. */
function report(
  { clock, reporter }: AppParts,
  asked: Asked<Written>,
  {
    entry,
    review,
    outcome,
    arrivedMs,
  }: {
    readonly entry: Entry;
    readonly review: AdmissionReview;
    readonly outcome: Outcome;
    readonly arrivedMs: number;
  },
): void {
  const durationMs = clock.monotonicMs() - arrivedMs;
  if (asked.kind === "late") reporter.late(entry, review, durationMs);
  if (asked.kind === "failed") reporter.failed(entry, review, asked.error);
  reporter.answered(entry, outcome, durationMs);
}

const JSON_TYPE = "application/json";

/** For a handler that gave no answer, see ask.ts. */
const UNTOLD: Readonly<Record<Entry, string>> = {
  mutate: "svc-ferry could not note who made this change; it is synced all the same",
  validate: "svc-ferry could not check this Service now; see its Events for what became of it",
};

function untold(
  review: AdmissionReview,
  entry: Entry,
  { kind: outcome }: { readonly kind: "late" | "failed" },
): Written {
  const answer: Answer = { kind: "allowed", warnings: [UNTOLD[entry]] };
  return { outcome, text: respond(review, answer, outcome) };
}

/** What is wrong with a request before its body is read. */
function whyNotTaken(request: FastifyRequest): readonly [RejectionStatus, string] | undefined {
  const { method, url, headers } = request;
  if (entryOf(url) === "other") return [404, "there is nothing here but /mutate and /validate"];
  if (method !== "POST") return [405, "reviews are sent by POST"];
  const [type = "", ...parameters] = (headers["content-type"] ?? "").toLowerCase().split(";");
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith("charset="));
  const isUtf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset);
  if (type.trim() !== JSON_TYPE || !isUtf8) return [415, "reviews are sent as application/json"];
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return [415, "reviews are sent without a content encoding"];
  return undefined;
}

function requestFailed(
  parts: AppParts,
  error: Error & { readonly statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { statusCode = 500 } = error;
  if (statusCode === 413) {
    const { maxBodyBytes } = parts.limits;
    return reject(parts, request, reply, 413, `reviews have at most ${maxBodyBytes} bytes`);
  }
  if (statusCode === 415)
    return reject(parts, request, reply, 415, "reviews are sent as application/json");
  if (statusCode >= 400 && statusCode < 500) {
    // The connection failed in the middle of the body: that was counted and answered there.
    if (request.socket.destroyed) return reply;
    return reject(parts, request, reply, 400, "the body did not come to its end");
  }
  parts.reporter.broken(entryOf(request.url), error);
  return send(reply, 500, "internal error");
}

/** Ends the connection too: the rest of the body is not waited for. */
function reject(
  { reporter }: AppParts,
  request: FastifyRequest,
  reply: FastifyReply,
  ...[status, reason]: readonly [RejectionStatus, string]
): FastifyReply {
  reporter.rejected(entryOf(request.url), status, reason);
  if (status === 405) reply.header("allow", "POST");
  return send(reply, status, reason);
}

function send(reply: FastifyReply, status: RejectionStatus, message: string): FastifyReply {
  return reply
    .code(status)
    .header("connection", "close")
    .type(JSON_TYPE)
    .send(rejection(status, message));
}

/** A handshake that failed, a request that cannot be read or does not end. */
function connectionFailed(
  error: Error & { readonly code?: string },
  socket: Duplex,
  reporter: AdmissionReporter,
): void {
  const { code = "" } = error;
  if (/^ERR_(?:SSL|TLS)_/.test(code)) {
    reporter.tlsError(code);
  } else if (code !== "ECONNRESET") {
    // NB: ECONNRESET has no word: whoever only looks whether the port is open hangs up before the handshake.
    const [status, reason] = UNREADABLE[code] ?? [400, "the request is not HTTP/1.1"];
    reporter.rejected("other", status, reason);
    if (socket.writable) socket.write(rawRejection(status, reason));
  }
  socket.destroy();
}

const UNREADABLE: Readonly<Record<string, readonly [RejectionStatus, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come to its end in time"],
  HPE_HEADER_OVERFLOW: [431, "the headers are too long"],
  HPE_INVALID_EOF_STATE: [400, "the request did not come to its end"],
};
