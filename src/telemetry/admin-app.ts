/** The routes of the admin port, k8s-svc-sync's three first. Everything answers from memory. */
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { inject, injectable, type InjectionToken } from "tsyringe";
import { Health, type Readiness } from "../ports/health.js";
import { Leadership } from "../ports/leadership.js";
import { MetricsText } from "../ports/metrics.js";
import { StatusSource } from "../ports/status.js";
import { isLoopbackAddress, isLoopbackHost } from "./loopback.js";
import { Page } from "./page/page.js";

/** What the admin port is told by the configuration. */
export interface AdminSettings {
  readonly podName: string;
  /** Who may read /status and the page, which show names of Services. */
  readonly page: "loopback" | "all";
  readonly bindAddress: string;
  /** 0 picks a free one. */
  readonly port: number;
}
export const AdminSettings: InjectionToken<AdminSettings> = Symbol("AdminSettings");

/** Whom the admin port asks. */
@injectable()
export class AdminSources {
  constructor(
    @inject(Health) readonly health: Health,
    @inject(Leadership) readonly leadership: Leadership,
    @inject(MetricsText) readonly metrics: MetricsText,
    @inject(StatusSource) readonly status: StatusSource,
    @inject(Page) readonly page: Page,
  ) {}
}

/** 10 s for a whole request: nobody sends more than a line here. Keeps slow clients from piling up. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Listens nowhere yet: see admin-server.ts; tests call `inject`. */
export function adminApp(settings: AdminSettings, sources: AdminSources): FastifyInstance {
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
  probes(app, settings, sources);
  app.get("/metrics", async (_request, reply) =>
    reply.type(sources.metrics.contentType).send(await sources.metrics.text()),
  );
  const mayNotRead = (request: FastifyRequest): string | undefined =>
    settings.page === "all" ? undefined : whyForbidden(request);
  app.get("/status", async (request, reply) => {
    const reason = mayNotRead(request);
    if (reason !== undefined) return reply.code(403).type(TEXT).send(`${reason}\n`);
    return reply.send(sources.status.report());
  });
  sources.page.serve(app, mayNotRead);
  return app;
}

const TEXT = "text/plain; charset=utf-8";

function probes(
  app: FastifyInstance,
  { podName }: AdminSettings,
  { health, leadership }: AdminSources,
): void {
  app.get("/health", async (_request, reply) => reply.type(TEXT).send("ok"));
  app.get("/ready", async (_request, reply) => sendReadiness(reply, health.ready()));
  app.get("/ready/webhook", async (_request, reply) => sendReadiness(reply, health.webhookReady()));
  app.get("/leader", async (_request, reply) =>
    reply.type(TEXT).send(leadership.isLeader() ? `Leader: ${podName}` : "Follower"),
  );
}

function sendReadiness(reply: FastifyReply, { ok, waitingFor }: Readiness): FastifyReply {
  const text = ok ? "ok" : `waiting for ${waitingFor.join(", ")}`;
  return reply
    .code(ok ? 200 : 503)
    .type(TEXT)
    .send(text);
}

function whyForbidden({ socket, headers }: FastifyRequest): string | undefined {
  if (!isLoopbackAddress(socket.remoteAddress ?? "")) {
    return "this answers its own machine only: use kubectl port-forward, an auth proxy in the pod, or run with --page=all";
  }
  if (!isLoopbackHost(headers.host)) {
    return "this answers to the names localhost, 127.0.0.1 and [::1] only: ask by one of them, or run with --page=all";
  }
  return undefined;
}
