/** The routes of the admin port, k8s-svc-sync's three first. Everything answers from memory. */
import type { FastifyInstance } from "fastify";
import { inject, injectable, type InjectionToken } from "tsyringe";
import { Health } from "../ports/health.js";
import { Leadership } from "../ports/leadership.js";
import { MetricsText } from "../ports/metrics.js";
import { StatusSource } from "../ports/status.js";
import { bareApp, metricsRoute, sendReadiness, statusRoute, TEXT } from "./bare-app.js";

/** What an admin port is told by the configuration. */
export interface AdminSettings {
  readonly podName: string;
  /** Who may read /status, which shows names of objects. */
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
  ) {}
}

/** Listens nowhere yet: see admin-server.ts; tests call `inject`. */
export function adminApp(settings: AdminSettings, sources: AdminSources): FastifyInstance {
  const app = bareApp();
  probes(app, settings, sources);
  metricsRoute(app, sources.metrics);
  statusRoute(app, settings.page, () => sources.status.report());
  return app;
}

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
