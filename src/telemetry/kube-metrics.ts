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

  /** NB: +Inf is a number to Prometheus: a credential without an end is in no alert, and a series that was there stays right. */
  credentialTaken(
    cluster: string,
    life: { readonly beganAtMs: number; readonly endsAtMs: number } | undefined,
  ): void {
    const { beganAtMs, endsAtMs } = life ?? { beganAtMs: 0, endsAtMs: Infinity };
    const lifetimeSeconds = (endsAtMs - beganAtMs) / 1000;
    const labels = { cluster };
    this.metrics.set("svc_ferry_credential_expiry_timestamp_seconds", labels, endsAtMs / 1000);
    this.metrics.set("svc_ferry_credential_lifetime_seconds", labels, lifetimeSeconds);
    this.metrics.set("svc_ferry_credential_trouble", labels, 0);
  }

  credentialTrouble(cluster: string, isInTrouble: boolean): void {
    this.metrics.set("svc_ferry_credential_trouble", { cluster }, isInTrouble ? 1 : 0);
  }
}
