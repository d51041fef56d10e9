/**
 * The one table of metrics. A metric exists if and only if it stands here; docs/metrics.md lists the same (a test
 * compares). Labels come from closed sets: never the name of a user's object, which would make one series per Service.
 */
import { CERTIFICATE_REFUSALS } from "./certificate-refusal.js";
import type { ErrorCode } from "./errors.js";
import { counter, gauge, histogram, open, type OpenLabel } from "./metric-spec.js";
import { MIRROR_METRICS } from "./mirror-metric-table.js";

const destination: OpenLabel<string> = { meaning: "a destination's name" };
const cluster: OpenLabel<string> = { meaning: "a context's name" };
const errorCode: OpenLabel<ErrorCode | "unknown"> = {
  meaning: "FERRY code of docs/codes.md, or unknown",
};
const watched: OpenLabel<string> = { meaning: "services, endpointslices, endpoints, namespaces …" };
const priority = ["live", "bulk", "event"] as const;

export const METRICS = {
  svc_ferry_build_info: gauge("Always 1; says which version runs.", {
    version: open("the version"),
  }),
  svc_ferry_leader: gauge("1 while this replica leads, else 0.", {}),
  svc_ferry_lease_transitions_total: counter("Times this replica began or ceased to lead.", {
    change: ["gained", "lost"],
  }),
  svc_ferry_config_pending: gauge(
    "1 while what the configuration file says is not in force: it is wrong, it needs a restart, or caches are being filled.",
    { reason: ["invalid", "restart", "filling"] },
  ),
  svc_ferry_last_contact_timestamp_seconds: gauge(
    "Unix time of the last byte that a watch received.",
    { cluster, resource: watched },
  ),
  svc_ferry_relists_total: counter("Lists that replaced a watch's state.", {
    cluster,
    resource: watched,
    reason: ["start", "periodic", "requested", "version", "backwards", "errors", "unconfirmed"],
  }),
  svc_ferry_watch_errors_total: counter("Lists and watches that failed.", {
    cluster,
    resource: watched,
    code: open("FERRY code of docs/codes.md, or unknown"),
  }),
  svc_ferry_objects_skipped_total: counter("Objects that could not be read and were passed over.", {
    cluster,
    resource: watched,
  }),

  svc_ferry_api_requests_total: counter("Requests to API servers.", {
    cluster,
    verb: ["list", "watch", "get", "create", "patch", "replace", "delete"],
    code: open("HTTP status, or the FERRY code when no answer came"),
  }),
  svc_ferry_api_request_seconds: histogram("Time that a request took, watches not counted.", {
    cluster,
    verb: ["list", "get", "create", "patch", "replace", "delete"],
  }),
  svc_ferry_api_connections_opened_total: counter("Connections opened to API servers.", {
    cluster,
  }),
  svc_ferry_limiter_wait_seconds: histogram("Time that a request waited for a free connection.", {
    cluster,
    priority,
  }),
  svc_ferry_credential_expiry_timestamp_seconds: gauge(
    "Unix time at which the credential in use ends; +Inf when no end is known.",
    { cluster },
  ),
  svc_ferry_credential_lifetime_seconds: gauge(
    "How long the credential in use holds in all, from its beginning to its end.",
    { cluster },
  ),
  svc_ferry_credential_trouble: gauge(
    "1 while what the kubeconfig offers cannot be used and what was in use before stays in use, else 0.",
    { cluster },
  ),

  svc_ferry_queue_depth: gauge("Names that wait to be looked at.", {
    destination,
    priority: ["live", "bulk"],
  }),
  svc_ferry_queue_oldest_seconds: gauge("How long the oldest name has been waiting.", {
    destination,
  }),
  svc_ferry_reconcile_total: counter("Passes over one name, by what they did.", {
    destination,
    outcome: ["synced", "unchanged", "removed", "refused", "held", "nothing", "failed"],
  }),
  svc_ferry_reconcile_seconds: histogram("Time that one pass took.", { destination }),
  svc_ferry_retries_total: counter("Passes that failed and are tried again.", {
    destination,
    code: errorCode,
  }),
  svc_ferry_writes_total: counter("Writes to a destination, by what became of them.", {
    destination,
    resource: ["services", "endpointslices", "endpoints", "namespaces"],
    verb: ["create", "patch", "delete"],
    outcome: ["done", "already-exists", "conflict", "not-found", "terminating", "invalid", "error"],
  }),
  svc_ferry_change_to_applied_seconds: histogram(
    "Time from seeing a change to its last write in the destination.",
    { destination, cause: ["service", "endpoints", "destination", "sweep"] },
  ),
  svc_ferry_drift_repairs_total: counter("Writes that undid a change made in the destination.", {
    destination,
    resource: ["services", "endpointslices", "endpoints"],
  }),
  svc_ferry_addresses_dropped_total: counter("Endpoint addresses that a mirror may not carry.", {
    destination,
  }),

  svc_ferry_mirrors: gauge("Mirrors that exist in a destination.", { destination }),
  svc_ferry_services: gauge("Ferried Services, by how they stand.", {
    destination,
    state: ["synced", "pending", "retrying", "conflict", "refused", "paused", "held"],
  }),
  svc_ferry_sweeps_total: counter("Comparisons of everything of the link.", { destination }),
  svc_ferry_delete_brake: gauge("1 while a mass deletion is blocked, else 0.", { destination }),
  svc_ferry_mass_deletes_blocked_total: counter("Sweeps whose deletions were blocked.", {
    destination,
  }),
  svc_ferry_paused: gauge("1 while a destination is paused by its configuration, else 0.", {
    destination,
  }),
  svc_ferry_link_held_elsewhere: gauge("1 while another process holds the link there, else 0.", {
    destination,
  }),
  svc_ferry_events_total: counter("Kubernetes Events, by what became of them.", {
    outcome: ["written", "failed", "dropped", "filtered"],
  }),

  svc_ferry_admission_reviews_total: counter("Reviews and what else reached the webhook's port.", {
    path: ["mutate", "validate", "other"],
    outcome: ["allowed", "patched", "refused", "late", "failed", "rejected"],
  }),
  svc_ferry_admission_seconds: histogram("Time from a review's headers to its answer.", {
    path: ["mutate", "validate"],
    outcome: ["allowed", "patched", "refused", "late", "failed"],
  }),
  svc_ferry_hints_total: counter("Admitted changes, by what became of them.", {
    outcome: ["seen", "read", "replaced", "superseded", "abandoned"],
  }),
  svc_ferry_admission_to_visible_seconds: histogram(
    "Time from a change's admission until the leader has it, by how: its watch, or a read because that was late.",
    { by: ["seen", "read"] },
  ),
  svc_ferry_admission_to_applied_seconds: histogram(
    "Time from a change's admission until its mirror is in order.",
    { destination },
  ),
  svc_ferry_changes_without_hint_total: counter(
    "Admitted changes that the leader applied before, or without, hearing of them from the replica that admitted them.",
    { destination },
  ),
  svc_ferry_changes_not_admitted_total: counter(
    "Changes applied that did not pass the webhook: it was not reached, or does not cover them.",
    { destination, stamp: ["none", "stale"] },
  ),
  svc_ferry_webhook_tls_errors_total: counter("Handshakes with the webhook that failed.", {}),
  svc_ferry_webhook_certificates_total: counter("Certificates that the webhook was given.", {
    outcome: ["served", "refused"],
  }),
  svc_ferry_outbox_hints: gauge(
    "Admitted changes that this replica remembers, to tell the leader of them, or the next one.",
    {},
  ),
  svc_ferry_hand_off_total: counter("Batches of hints, by whether the leader took them.", {
    outcome: ["delivered", "failed"],
  }),
  svc_ferry_outbox_resyncs_total: counter(
    "Floods in which more changes were admitted than the outbox keeps.",
    {},
  ),

  svc_ferry_certificate_expiry_timestamp_seconds: gauge(
    "Unix time at which a certificate that this replica uses ends.",
    { kind: ["serving", "hand-off", "ca"] },
  ),
  svc_ferry_certificates_taken_total: counter("Certificates that this replica began to use.", {
    kind: ["serving", "hand-off"],
  }),
  svc_ferry_certificates_refused_total: counter(
    "Certificates that this replica was offered and did not take.",
    {
      kind: ["serving", "hand-off"],
      reason: [...CERTIFICATE_REFUSALS, "not-accepted"],
    },
  ),
  svc_ferry_certificate_rotations_total: counter(
    "Writes of the leader to the certificates' Secret.",
    {
      step: ["create", "trust", "sign", "renew", "prune", "stamp"],
      reason: ["ends-soon", "unusable", "names-changed", "requested", "overlap-over"],
    },
  ),
  svc_ferry_certificate_failures_total: counter(
    "Attempts of the leader to look after the certificates that failed.",
    { code: errorCode },
  ),
  svc_ferry_ca_bundle_writes_total: counter("caBundles that the leader wrote or repaired.", {
    configuration: ["mutating", "validating"],
  }),
  svc_ferry_ca_bundle_match: gauge(
    "1 while API servers accept what this replica shows, by the webhook configuration as it is; else 0.",
    { configuration: ["mutating", "validating"] },
  ),
  ...MIRROR_METRICS,
} as const;
