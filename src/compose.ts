/** The composition root: the only place that knows every class. One object comes out of it. */
import type { LogSink } from "./telemetry/log-sink.js";
import { container, Lifecycle, type DependencyContainer } from "tsyringe";
import { Config } from "./config/config.js";
import { ConfigFeed, ConfigOrigin, NO_FILE } from "./config/config-feed.js";
import { FerryState } from "./ferry-state.js";
import { FerryProcess } from "./process.js";
import { AuditLines } from "./ports/audit-lines.js";
import { Clock } from "./ports/clock.js";
import { Clusters } from "./ports/clusters.js";
import { Digest } from "./ports/digest.js";
import { Health } from "./ports/health.js";
import { KubeObserver } from "./ports/kube-observer.js";
import { LeaderPage } from "./ports/leader-page.js";
import { Leadership } from "./ports/leadership.js";
import { Log } from "./ports/log.js";
import { Metrics, MetricsText } from "./ports/metrics.js";
import { isMirrorMetric } from "./ports/mirror-metric-table.js";
import { Random } from "./ports/random.js";
import { StatusSource } from "./ports/status.js";
import { KubeClusters } from "./kube-clusters.js";
import { sha256 } from "./runtime/sha256.js";
import { SystemClock } from "./runtime/system-clock.js";
import { SystemRandom } from "./runtime/system-random.js";
import { adminApp, AdminSettings, AdminSources } from "./telemetry/admin-app.js";
import { AdminServer } from "./telemetry/admin-server.js";
import { AuditTail } from "./telemetry/audit-tail.js";
import { AdminApp } from "./telemetry/bare-app.js";
import { KubeMetrics } from "./telemetry/kube-metrics.js";
import { Logger } from "./telemetry/logger.js";
import { PrometheusMetrics } from "./telemetry/metrics.js";
import { FerryContent } from "./telemetry/page/ferry-content.js";
import { Page } from "./telemetry/page/page.js";
import { VERSION } from "./version.js";

/**
 * @param sink where the log's lines go; the caller flushes it
 * @param overrides registers other implementations on the same container before anything is resolved (last one wins):
 * how the simulation brings its clock, randomness and clusters
 */
export function compose(
  config: Config,
  sink: Pick<LogSink, "write">,
  overrides: (root: DependencyContainer) => void = () => {},
): FerryProcess {
  const root = container.createChildContainer();
  const singleton = { lifecycle: Lifecycle.Singleton };
  root.register(Config, { useValue: config });
  root.register(Digest, { useValue: sha256 });
  const clock = new SystemClock();
  root.register(Clock, { useValue: clock });
  root.register(Random, { useClass: SystemRandom }, singleton);
  const audit = new AuditTail();
  root.register(AuditLines, { useValue: audit });
  const onOutcome = (line: string): void => audit.add(line);
  const logger = new Logger({ ...config.log, podName: config.podName, clock, sink, onOutcome });
  root.register(Log, { useValue: logger });
  const metrics = new PrometheusMetrics((name) => !isMirrorMetric(name));
  root.register(Metrics, { useValue: metrics });
  root.register(MetricsText, { useValue: metrics });
  root.register(KubeObserver, { useValue: new KubeMetrics(metrics) });
  root.register(Clusters, { useClass: KubeClusters }, singleton);
  root.register(FerryState, { useClass: FerryState }, singleton);
  root.register<Health>(Health, { useToken: FerryState });
  root.register<LeaderPage>(LeaderPage, { useToken: FerryState });
  root.register<Leadership>(Leadership, { useToken: FerryState });
  root.register<StatusSource>(StatusSource, { useToken: FerryState });
  root.register(AdminSettings, { useValue: { podName: config.podName, ...config.http } });
  root.register(FerryContent, { useClass: FerryContent }, singleton);
  root.register(Page, {
    useFactory: (from) => new Page(from.resolve(FerryContent), from.resolve(Clock)),
  });
  root.register(AdminSources, { useClass: AdminSources }, singleton);
  root.register(AdminApp, {
    useFactory: (from) => () => adminApp(from.resolve(AdminSettings), from.resolve(AdminSources)),
  });
  root.register(AdminServer, { useClass: AdminServer }, singleton);
  root.register(ConfigOrigin, { useValue: NO_FILE });
  root.register(ConfigFeed, { useClass: ConfigFeed }, singleton);
  root.register(FerryProcess, { useClass: FerryProcess }, singleton);
  overrides(root);
  metrics.start(VERSION);
  return root.resolve(FerryProcess);
}
