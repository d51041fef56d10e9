/** The mirror's composition root: the only place of it that knows every class. One object comes out of it. */
import { container, Lifecycle, type DependencyContainer } from "tsyringe";
import { processEnvironment } from "../src/config/load.js";
import { type DestinationApi, MirrorConfig } from "../src/config/mirror-config.js";
import { openCluster, type OpenCluster } from "../src/kube/open-cluster.js";
import { Clock } from "../src/ports/clock.js";
import type { InspectedCluster } from "../src/ports/inspected-cluster.js";
import { Log } from "../src/ports/log.js";
import { Metrics } from "../src/ports/metrics.js";
import type { MirrorStatusReport } from "../src/ports/mirror-report.js";
import type { Random } from "../src/ports/random.js";
import { isMirrorMetric } from "../src/ports/mirror-metric-table.js";
import { SystemClock } from "../src/runtime/system-clock.js";
import { SystemRandom } from "../src/runtime/system-random.js";
import { AdminSettings } from "../src/telemetry/admin-app.js";
import { AdminServer } from "../src/telemetry/admin-server.js";
import { AdminApp } from "../src/telemetry/bare-app.js";
import type { LogSink } from "../src/telemetry/log-sink.js";
import { Logger } from "../src/telemetry/logger.js";
import { PrometheusMetrics } from "../src/telemetry/metrics.js";
import { mirrorApp } from "../src/telemetry/mirror-app.js";
import { Page } from "../src/telemetry/page/page.js";
import { KubeApiWriter } from "./api/kube-api-writer.js";
import { MirrorParts, type OpenApi } from "./mirror-parts.js";
import { MirrorState } from "./mirror-state.js";
import { MirrorProcess } from "./process.js";
import { MirrorContent } from "./status/mirror-content.js";
import { MirrorMetrics } from "./status/mirror-metrics.js";
import { MirrorSurroundings } from "./surroundings.js";
import { SystemParts } from "./system-parts.js";

/**
 * @param version what `/metrics` calls it; the process is measured from here on
 * @param sink where the log's lines go; the caller flushes it
 * @param overrides registers other implementations on the same container before anything is resolved (last one wins)
 */
export function compose(
  config: MirrorConfig,
  version: string,
  sink: Pick<LogSink, "write">,
  overrides: (root: DependencyContainer) => void = () => {},
): MirrorProcess {
  const root = container.createChildContainer();
  const singleton = { lifecycle: Lifecycle.Singleton };
  const { podName, http } = config;
  root.register(MirrorConfig, { useValue: config });
  const clock = new SystemClock();
  root.register(Clock, { useValue: clock });
  const log = new Logger({ ...config.log, podName, clock, sink });
  root.register(Log, { useValue: log });
  const metrics = new PrometheusMetrics(
    (name) => isMirrorMetric(name) || name === "svc_ferry_build_info",
  );
  root.register(Metrics, { useValue: metrics });
  root.register(MirrorSurroundings, { useClass: MirrorSurroundings }, singleton);
  root.register(MirrorState, { useClass: MirrorState }, singleton);
  const base = { clock, random: new SystemRandom(), log, config };
  const openApi = (access: DestinationApi): Promise<OpenApi> =>
    openDestinationApi(access, version, base);
  const parts = { ...base, metrics, openApi };
  root.register(MirrorParts, { useValue: new SystemParts(parts) });
  const settings = { podName, ...http };
  root.register(AdminSettings, { useValue: settings });
  root.register(AdminApp, {
    useFactory: (from) => () => {
      const state = from.resolve(MirrorState);
      const report = (): MirrorStatusReport => state.report();
      const page = new Page(new MirrorContent(report), from.resolve(Clock));
      return mirrorApp(settings, { ready: () => state.ready(), metrics, report, page });
    },
  });
  root.register(AdminServer, { useClass: AdminServer }, singleton);
  root.register(MirrorProcess, { useClass: MirrorProcess }, singleton);
  overrides(root);
  // Nothing is measured before somebody asks.
  const state = root.resolve(MirrorState);
  new MirrorMetrics(metrics, {
    status: () => state.status,
    ready: () => state.ready().ok,
    rejectedFiles: () => state.rejectedFiles.length,
  }).start();
  metrics.start(version);
  return root.resolve(MirrorProcess);
}

/** As many as debts are paid at once. */
const MAX_CONNECTIONS = 16;

async function openDestinationApi(
  access: DestinationApi,
  version: string,
  { config, ...parts }: ApiParts & { readonly config: MirrorConfig },
): Promise<OpenApi> {
  const cluster = await openApiServer(
    access,
    { version, comment: `mirror; ${config.podName}` },
    parts,
  );
  return {
    writer: new KubeApiWriter(cluster, config.link, parts.clock),
    close: () => cluster.close(),
  };
}

/** For `mirror doctor`. NB: opened here, because errors of the other bundle are of other classes than ours. */
export function inspectDestinationApi(
  access: DestinationApi,
  version: string,
  parts: ApiParts,
): Promise<InspectedCluster> {
  return openApiServer(access, { version, comment: "mirror doctor" }, parts);
}

/** Nobody is contacted yet. @throws TerminalError FERRY-K005 when the kubeconfig cannot be read or has no such context */
function openApiServer(
  { kubeconfig: path, context = "" }: DestinationApi,
  told: { readonly version: string; readonly comment: string },
  parts: ApiParts,
): Promise<OpenCluster> {
  return openCluster(
    {
      // "" takes the file's current context.
      access: { kind: "kubeconfig", path, context },
      name: "destination",
      maxConnections: MAX_CONNECTIONS,
      ...told,
    },
    { ...parts, env: processEnvironment() },
  );
}

interface ApiParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
