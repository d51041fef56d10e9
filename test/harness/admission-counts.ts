import type { Cluster } from "./cluster.js";
import { metricSum } from "./metric-sum.js";

/** What an API server has counted of its calls to webhooks. */
export interface AdmissionCounts {
  /** Answered. */
  readonly answered: number;
  /**
   * Not answered: with an error for the user, or passed over in silence.
   *
   * NB: one that failed under `Ignore` may count twice.
   */
  readonly failed: number;
}

export async function admissionCounts(source: Cluster): Promise<AdmissionCounts> {
  const { body } = await source.request("GET", "/metrics");
  const sum = (what: string, labels: Readonly<Record<string, string>> = {}): number =>
    metricSum(String(body), `apiserver_admission_webhook_${what}`, labels) ?? 0;
  return {
    answered: sum("request_total", { code: "200" }),
    failed:
      sum("rejection_count", { error_type: "calling_webhook_error" }) + sum("fail_open_count"),
  };
}
