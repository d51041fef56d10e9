/** What the operator sees of the server: a number for everything, a line for what should not be. */
import { inject, injectable } from "tsyringe";
import { Clock } from "../src/ports/clock.js";
import { Log } from "../src/ports/log.js";
import { Metrics } from "../src/ports/metrics.js";
import type { AdmissionReview } from "./admission-review.js";
import type { Entry } from "./entry.js";
import { RareLog } from "./rare-log.js";
import type { Outcome } from "./respond.js";

@injectable()
export class AdmissionReporter {
  readonly #log: Log;
  readonly #rare: RareLog;

  constructor(
    @inject(Clock) clock: Clock,
    @inject(Log) log: Log,
    @inject(Metrics) private readonly metrics: Metrics,
  ) {
    this.#log = log.child("webhook");
    this.#rare = new RareLog(clock);
  }

  /** A review has its answer. */
  answered(path: Entry, outcome: Outcome, durationMs: number): void {
    this.metrics.count("svc_ferry_admission_reviews_total", { path, outcome });
    this.metrics.observe("svc_ferry_admission_seconds", { path, outcome }, durationMs / 1_000);
  }

  late(path: Entry, review: AdmissionReview, durationMs: number): void {
    this.#rare.say(`late ${path}`, (more) => {
      this.#log.warn(
        { path, ...subject(review), durationMs: Math.round(durationMs), ...more },
        "admission answered without its handler: it was late",
      );
    });
  }

  /** A defect of ours, or of what a handler asks. */
  failed(path: Entry, review: AdmissionReview, error: unknown): void {
    this.#rare.say(`failed ${path}`, (more) => {
      this.#log.error(
        { path, ...subject(review), err: error, ...more },
        "admission answered without its handler: it failed",
      );
    });
  }

  /** Something was sent that is no review. */
  rejected(path: Entry | "other", status: number, reason: string): void {
    this.metrics.count("svc_ferry_admission_reviews_total", { path, outcome: "rejected" });
    this.#rare.say(`rejected ${path} ${status}`, (more) => {
      this.#log.warn({ path, status, reason, ...more }, "request to the webhook rejected");
    });
  }

  /** An error that no rule of the server expects: the request was answered with 500. */
  broken(path: Entry | "other", error: unknown): void {
    this.metrics.count("svc_ferry_admission_reviews_total", { path, outcome: "failed" });
    this.#rare.say("broken", (more) => {
      this.#log.error({ path, err: error, ...more }, "request to the webhook failed");
    });
  }

  /** Most often an API server that does not trust our certificate: its alert names the reason. */
  tlsError(code: string): void {
    this.metrics.count("svc_ferry_webhook_tls_errors_total", {});
    this.#rare.say("tls", (more) => {
      this.#log.warn(
        { tlsError: code, ...more },
        "TLS connection to the webhook failed; if it lasts, compare caBundle and certificate",
      );
    });
  }

  certificateServed(): void {
    this.metrics.count("svc_ferry_webhook_certificates_total", { outcome: "served" });
    this.#log.info({}, "webhook certificate loaded");
  }

  certificateRefused(error: unknown): void {
    this.metrics.count("svc_ferry_webhook_certificates_total", { outcome: "refused" });
    this.#log.error({ err: error }, "webhook certificate is of no use, the one before stays");
  }

  listening(port: number, address: string): void {
    this.#log.info({ port, address }, "webhook listening");
  }

  draining(drainMs: number): void {
    this.#log.info({ drainMs }, "webhook draining");
  }

  /** Requests that were cut off because they did not end in time. */
  stopped(cutConnections: number): void {
    this.#log.info({ cutConnections }, "webhook stopped");
  }
}

function subject({ namespace, name, operation }: AdmissionReview): {
  readonly service: string;
  readonly operation: string;
} {
  return { service: `${namespace}/${name}`, operation };
}
