import type { Metrics } from "./ports/metrics.js";
import type { WatchObserver } from "./watch/reflector-options.js";

/** Counts what the watches tell, by cluster and resource. */
export function watchMetrics(
  metrics: Metrics,
): (cluster: string) => (resource: string) => WatchObserver {
  return (cluster) => (resource) => ({
    relisted: (reason) => metrics.count("svc_ferry_relists_total", { cluster, resource, reason }),
    failed: (code) => metrics.count("svc_ferry_watch_errors_total", { cluster, resource, code }),
    skipped: () => metrics.count("svc_ferry_objects_skipped_total", { cluster, resource }),
  });
}
