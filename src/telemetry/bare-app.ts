/** What both admin ports are made of: an app that answers from memory, and says nothing to strangers. */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { InjectionToken } from "tsyringe";
import type { Readiness } from "../ports/health.js";
import type { MetricsText } from "../ports/metrics.js";
import { isLoopbackAddress, isLoopbackHost } from "./loopback.js";

/** Makes the app of an admin port; it listens nowhere yet. */
export type AdminApp = () => FastifyInstance;
export const AdminApp: InjectionToken<AdminApp> = Symbol("AdminApp");

/** 10 s for a whole request: nobody sends more than a line here. Keeps slow clients from piling up. */
const REQUEST_TIMEOUT_MS = 10_000;

export const TEXT = "text/plain; charset=utf-8";

/** Without routes. */
export function bareApp(): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 1_024,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A stop must not wait for a monitor's idle connection.
    forceCloseConnections: true,
  });
  app.addHook("onSend", async (_request, reply) => {
    reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(TEXT).send("not found\n"));
  app.setErrorHandler((_error, _request, reply) =>
    // The cause is ours and in no way the caller's: it may name objects, so it is not told.
    reply.code(500).type(TEXT).send("internal error\n"),
  );
  return app;
}

/** `/metrics` */
export function metricsRoute(app: FastifyInstance, metrics: MetricsText): void {
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** `/status`: names of objects, hence for this machine only unless the page is open to all. */
export function statusRoute(
  app: FastifyInstance,
  page: "loopback" | "all",
  report: () => object,
): void {
  app.get("/status", async (request, reply) => {
    const reason = page === "all" ? undefined : whyForbidden(request);
    if (reason !== undefined) return reply.code(403).type(TEXT).send(`${reason}\n`);
    return reply.send(report());
  });
}

/** 200 and ok, or 503 and what is missing. */
export function sendReadiness(reply: FastifyReply, { ok, waitingFor }: Readiness): FastifyReply {
  const text = ok ? "ok" : `waiting for ${waitingFor.join(", ")}`;
  return reply
    .code(ok ? 200 : 503)
    .type(TEXT)
    .send(text);
}

function whyForbidden({ socket, headers }: FastifyRequest): string | undefined {
  if (!isLoopbackAddress(socket.remoteAddress ?? "")) {
    return "/status answers this machine only: use kubectl port-forward, an auth proxy in the pod, or run with --page=all";
  }
  if (!isLoopbackHost(headers.host)) {
    return "/status answers to the names localhost, 127.0.0.1 and [::1] only: ask by one of them, or run with --page=all";
  }
  return undefined;
}
