import type { DebtCode } from "./debt.js";

/** What a person can do about each reason; as docs/codes.md has it. */
export const ADVICE: Readonly<Record<DebtCode, string>> = {
  occupied: "Remove it, or take it over with --on-conflict=adopt.",
  "no-namespace": "Let a rule mirror the Namespace, or create it.",
  "namespace-terminating": "Nothing, or find out why the deletion does not end.",
  "no-crd": "Let a rule mirror the CRD, or install it.",
  "version-not-served":
    "Bring both CRDs to the same versions; migrate what is stored in the source.",
  "owner-missing": "Nothing, unless it lasts: then look for the owner's own debt.",
  "source-undecryptable": "Bring --source-encryption-provider-config up to date.",
  "source-unreadable": "Turn CBOR storage off in the source, or repair the object there.",
  "dest-plaintext": "Give the destination an EncryptionConfiguration, or --allow-plaintext.",
  "dest-undecryptable": "Bring --dest-encryption-provider-config up to date.",
  "too-large": "Raise the destination etcd's --max-request-bytes, or leave it out by rule.",
  braked:
    "If it is right: svc-ferry mirror release-brake. If not: correct rules, labels or source.",
  "rules-settling": "Nothing, or put the rule back.",
  "via-api": "See that the API server of --dest-kubeconfig can be reached.",
  "api-refused": "Correct what it complains about: rights, quota, a webhook.",
  "needs-api": "Give --dest-kubeconfig.",
  "not-empty": "Delete it by hand when it is not needed.",
  drifted: "Undo the change there, or --on-drift=repair.",
};
