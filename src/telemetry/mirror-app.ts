/** The routes of the mirror's port: etcd-carry's three, /status and the page. Everything answers from memory. */
import type { FastifyInstance } from "fastify";
import type { Readiness } from "../ports/health.js";
import type { MetricsText } from "../ports/metrics.js";
import type { MirrorStatusReport } from "../ports/mirror-report.js";
import type { AdminSettings } from "./admin-app.js";
import {
  bareApp,
  metricsRoute,
  sendReadiness,
  statusRoute,
  TEXT,
  whyForbidden,
} from "./bare-app.js";
import type { Page } from "./page/page.js";

/** Whom the mirror's port asks. */
export interface MirrorSources {
  /** Whether it does its work, or stands by for another that does. */
  readonly ready: () => Readiness;
  readonly metrics: MetricsText;
  readonly report: () => MirrorStatusReport;
  readonly page: Page;
}

/** Listens nowhere yet: see admin-server.ts; tests call `inject`. */
export function mirrorApp(
  settings: Pick<AdminSettings, "page">,
  { ready, metrics, report, page }: MirrorSources,
): FastifyInstance {
  const app = bareApp();
  app.get("/healthz", async (_request, reply) => reply.type(TEXT).send("ok"));
  app.get("/ready", async (_request, reply) => sendReadiness(reply, ready()));
  metricsRoute(app, metrics);
  statusRoute(app, settings.page, report);
  page.serve(app, (request) => whyForbidden(settings.page, request));
  return app;
}
