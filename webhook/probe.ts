/**
 * `svc-ferry doctor` asks an API server to judge a Service that is never stored, and finds out from a warning whether the API
 * server has really asked us: `failurePolicy: Ignore` passes over a webhook that does not answer in silence.
 */
import { PROBE_ANNOTATION } from "../src/domain/labels.js";
import type { Service } from "../src/domain/objects.js";

/** Who answers. */
export interface Respondent {
  readonly podName: string;
  readonly version: string;
}

/** What `doctor` makes; anything else is some user's text, which is not repeated to anybody. */
const NONCE = /^[A-Za-z0-9]{8,32}$/;
/** A pod's name may be longer; its end is what tells replicas apart, and kubectl shows 120 characters. */
const MAX_POD_CHARS = 48;
const MAX_VERSION_CHARS = 16;

/** The warning that answers a probe; undefined: it is none. Only for dry runs: what is stored has nothing to be asked. */
export function probeAnswer(
  service: Service | undefined,
  dryRun: boolean,
  { podName, version }: Respondent,
): string | undefined {
  const nonce = service?.annotations[PROBE_ANNOTATION] ?? "";
  if (!dryRun || !NONCE.test(nonce)) return undefined;
  const by = `${podName.slice(-MAX_POD_CHARS)} ${version.slice(0, MAX_VERSION_CHARS)}`;
  return `svc-ferry probe ${nonce} answered by ${by}`;
}
