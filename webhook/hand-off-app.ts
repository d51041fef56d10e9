/** What replicas say to the leader: hints, and the question what its page shows. Listens nowhere by itself: see hand-off-server.ts. */
import type { Server } from "node:https";
import type { Duplex } from "node:stream";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { MAX_BATCH_HINTS, type HandOffReceiver } from "../src/ports/hand-off.js";
import { readMessage } from "./hand-off-message.js";
import type { HandOffReporter } from "./hand-off-reporter.js";
import type { Limits } from "./limits.js";

export type HandOffApp = FastifyInstance<Server>;

export interface HandOffAppParts {
  readonly limits: Limits;
  readonly receive: HandOffReceiver;
  readonly page: PageOfLeader;
  readonly reporter: HandOffReporter;
  /** There is a certificate: a handshake that fails is the other end's fault. */
  readonly isServing: () => boolean;
}

/**
 * What this process shows as the leader, to be sent as JSON; undefined: it does not lead. Quick, never throws.
 * @param search of the address, "" or "?q=shop&page=2"
 */
export type PageOfLeader = (search: string) => object | undefined;

/** Where hints are posted. */
export const HINTS_PATH = "/hints";
/** Where the page is asked for, with its search behind. */
export const PAGE_PATH = "/page";

const JSON_TYPE = "application/json";

/** Lets nobody in before it has been given a certificate, and then nobody without one that verifies against its CAs. */
export function handOffApp(parts: HandOffAppParts): HandOffApp {
  const { limits } = parts;
  const app: HandOffApp = fastify({
    logger: false,
    bodyLimit: limits.maxBodyBytes,
    keepAliveTimeout: limits.keepAliveMs,
    requestTimeout: limits.requestMs,
    forceCloseConnections: true,
    https: {
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkEveryMs,
    },
    clientErrorHandler: (error, socket) => connectionFailed(parts, error, socket),
    frameworkErrors: (_error, _request, reply) => {
      reject(parts, reply, 400, "the URL cannot be read");
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    JSON_TYPE,
    { parseAs: "buffer" },
    async (_: unknown, body: Buffer) => body,
  );
  app.addHook("onRequest", async ({ url, method }, reply) => {
    const isHints = url === HINTS_PATH;
    if (!isHints && splitUrl(url).path !== PAGE_PATH)
      return reject(parts, reply, 404, `there is nothing here but ${HINTS_PATH} and ${PAGE_PATH}`);
    const allowed = isHints ? "POST" : "GET";
    if (method === allowed) return undefined;
    const why = isHints ? "hints are sent by POST" : "the page is asked for by GET";
    return reject(parts, reply.header("allow", allowed), 405, why);
  });
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _request, reply) =>
    requestFailed(parts, error, reply),
  );
  app.post(HINTS_PATH, (request, reply) => takeHints(parts, request, reply));
  app.get(PAGE_PATH, ({ url }, reply) => showPage(parts, splitUrl(url).search, reply));
  return app;
}

function takeHints(
  parts: HandOffAppParts,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const read = readMessage(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  if (read.kind === "bad") return reject(parts, reply, 400, read.reason);
  const { message } = read;
  // No word about it: whoever asks has heard of another leader a moment too early or too late, and asks again.
  if (!parts.receive(message.batch)) return answer(reply, 409, "this replica does not lead");
  parts.reporter.taken(message);
  return answer(reply, 200, "taken");
}

function showPage({ page }: HandOffAppParts, search: string, reply: FastifyReply): FastifyReply {
  const shown = page(search);
  if (shown === undefined) return answer(reply, 409, "this replica does not lead");
  return reply.type(JSON_TYPE).send(shown);
}

function splitUrl(url: string): { readonly path: string; readonly search: string } {
  const at = url.indexOf("?");
  return at < 0 ? { path: url, search: "" } : { path: url.slice(0, at), search: url.slice(at) };
}

function requestFailed(
  parts: HandOffAppParts,
  error: Error & { readonly statusCode?: number },
  reply: FastifyReply,
): FastifyReply {
  const { statusCode = 500 } = error;
  if (statusCode === 413) {
    const { maxBodyBytes } = parts.limits;
    const bounds = `at most ${MAX_BATCH_HINTS} hints and ${maxBodyBytes} bytes`;
    return reject(parts, reply, 413, `a batch has ${bounds}`);
  }
  if (statusCode === 415) return reject(parts, reply, 415, `hints are sent as ${JSON_TYPE}`);
  if (statusCode >= 400 && statusCode < 500) {
    return reject(parts, reply, 400, "the body did not come to its end");
  }
  parts.reporter.broken(error);
  return answer(reply.header("connection", "close"), 500, "internal error");
}

/** Ends the connection too: the rest of the body is not waited for. */
function reject(
  { reporter }: HandOffAppParts,
  reply: FastifyReply,
  status: number,
  reason: string,
): FastifyReply {
  reporter.rejected(status, reason);
  return answer(reply.header("connection", "close"), status, reason);
}

function answer(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).type("text/plain; charset=utf-8").send(message);
}

/** A handshake that failed, a request that cannot be read or does not end. */
function connectionFailed(
  { reporter, isServing }: HandOffAppParts,
  error: Error & { readonly code?: string },
  socket: Duplex,
): void {
  const { code = "" } = error;
  const refused = /^ERR_(?:SSL|TLS)_/.test(code) ? code : whyNotTrusted(socket);
  if (refused !== undefined) {
    if (isServing()) reporter.strangerRefused(refused);
  } else if (code !== "ECONNRESET") {
    // NB: ECONNRESET has no word: whoever only looks whether the port is open hangs up before the handshake.
    reporter.rejected(400, "the request is not HTTP/1.1, or did not come to its end");
    if (socket.writable) socket.write(UNREADABLE);
  }
  socket.destroy();
}

/** Node ends such a handshake itself and calls that ECONNRESET; the reason is left on the socket. */
function whyNotTrusted(socket: Duplex): string | undefined {
  const error: unknown = "authorizationError" in socket ? socket.authorizationError : undefined;
  return typeof error === "string" ? error : undefined;
}

const UNREADABLE = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
