import { inject, injectable } from "tsyringe";
import type { KubeObserver, KubeVerb } from "../ports/kube-observer.js";
import type { Priority } from "../ports/kube-api.js";
import { Metrics } from "../ports/metrics.js";

/** Counts what the transport does. */
@injectable()
export class KubeMetrics implements KubeObserver {
  constructor(@inject(Metrics) private readonly metrics: Metrics) {}

  requestDone(cluster: string, verb: KubeVerb, code: string, seconds: number): void {
    this.metrics.count("svc_ferry_api_requests_total", { cluster, verb, code });
    // A watch lasts for minutes by design: its life is no latency.
    if (verb !== "watch")
      this.metrics.observe("svc_ferry_api_request_seconds", { cluster, verb }, seconds);
  }

  connectionOpened(cluster: string): void {
    this.metrics.count("svc_ferry_api_connections_opened_total", { cluster });
  }

  turnGiven(cluster: string, priority: Priority, seconds: number): void {
    this.metrics.observe("svc_ferry_limiter_wait_seconds", { cluster, priority }, seconds);
  }
}
