/** The mirror's part of the table of metrics: what `svc-ferry mirror run` exposes on its own port. */
import { counter, gauge, histogram, open } from "./metric-spec.js";

const side = ["source", "destination"] as const;
const passCause = [
  "first",
  "resumed",
  "compacted",
  "reload",
  "rules-settled",
  "source-changed",
  "destination-changed",
  "verify",
  "requested",
] as const;

export const MIRROR_METRICS = {
  svc_ferry_mirror_ready: gauge(
    "1 while the mirror does its work or stands by for it, else 0.",
    {},
  ),
  svc_ferry_mirror_activity: gauge("1 for what the mirror does now, else 0.", {
    activity: [
      "starting",
      "waiting",
      "loading",
      "copying",
      "following",
      "sealed",
      "no-rules",
      "stopped",
    ],
  }),
  svc_ferry_mirror_fence_held: gauge("1 while this process may write the link, else 0.", {}),
  svc_ferry_mirror_revision_read: gauge("Newest revision of the source that has been read.", {}),
  svc_ferry_mirror_revision_applied: gauge(
    "Everything of the source at or below this revision is in the destination, or a debt.",
    {},
  ),
  svc_ferry_mirror_lag_revisions: gauge(
    "Revisions of the source that were read and are not applied.",
    {},
  ),
  svc_ferry_mirror_lag_seconds: gauge(
    "Age of the oldest change that was read and is not applied, or of the last word of a source that is silent; 0 when there is neither.",
    {},
  ),
  svc_ferry_mirror_api_lag_seconds: gauge(
    "Age of the oldest object that waits for the destination's API server while raw writes go on; 0 when none does.",
    {},
  ),
  svc_ferry_mirror_objects: gauge("Objects in the destination that are ours, by rule.", {
    rule: open("where the rule stands in the file: sequential[0], secondary[2] …"),
  }),
  svc_ferry_mirror_debts: gauge("Objects that cannot be written or removed now.", {
    reason: open("a debt of docs/codes.md"),
  }),
  svc_ferry_mirror_passes_total: counter("Passes over the whole source that ended.", {
    cause: passCause,
  }),
  svc_ferry_mirror_pass_objects: gauge(
    "Objects that the pass under way has dealt with; 0 without one.",
    {
      state: ["expected", "read", "matched", "written"],
    },
  ),
  svc_ferry_mirror_destination_too_slow: gauge(
    "1 while passes do not shrink because the source changes faster than they copy, else 0.",
    {},
  ),
  svc_ferry_mirror_writes_total: counter("Objects dealt with in the destination.", {
    action: ["put", "deleted", "ledger-only"],
  }),
  svc_ferry_mirror_written_bytes_total: counter("Bytes of values written to the destination.", {}),
  svc_ferry_mirror_transactions_total: counter("Transactions of the writer.", {
    outcome: ["succeeded", "conflicted", "failed", "unknown"],
  }),
  svc_ferry_mirror_conflicts_total: counter("Objects of others that were in the way.", {
    action: ["skipped", "adopted"],
  }),
  svc_ferry_mirror_drift_total: counter("Mirrored objects that others changed.", {
    action: ["repaired", "reported", "touched"],
  }),
  svc_ferry_mirror_brake: gauge("Deletions that the brake holds; 0 when it is not engaged.", {}),
  svc_ferry_mirror_writes_paused: gauge(
    "1 while the writer stands still because of the destination, else 0.",
    {},
  ),
  svc_ferry_mirror_rejected_files: gauge(
    "Files that changed and whose new content could not be taken.",
    {},
  ),
  svc_ferry_mirror_etcd_request_seconds: histogram("Time that a request to an etcd took.", {
    side,
    request: ["range", "txn", "keep-alive", "other"],
  }),
  svc_ferry_mirror_etcd_errors_total: counter(
    "Requests to an etcd that failed, watches included.",
    {
      side,
      kind: open("kind of docs/codes.md, or unknown"),
    },
  ),
  svc_ferry_mirror_etcd_reconnects_total: counter("Watches that were cut and went on.", { side }),
  svc_ferry_mirror_etcd_bytes: gauge("Size of an etcd's database, the largest of its members.", {
    side,
    state: ["allocated", "in-use", "quota"],
  }),
} as const;

/** Does this metric belong to the mirror's process? `svc_ferry_build_info` belongs to both. */
export function isMirrorMetric(name: string): boolean {
  return Object.hasOwn(MIRROR_METRICS, name);
}
