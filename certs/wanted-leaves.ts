import { HAND_OFF_NAME } from "./carry-out.js";
import { canonicalName } from "./certificate.js";
import type { Situation } from "./rotation.js";
import {
  type ServiceName,
  serviceNames,
  wantedNames,
  type WebhookConfiguration,
} from "./webhook-configuration.js";

/**
 * The names that each leaf of the Secret must have.
 *
 * @param service the webhook's; undefined: the serving certificate comes from elsewhere
 * @param configurations those that exist
 */
export function wantedLeaves(
  service: ServiceName | undefined,
  configurations: readonly WebhookConfiguration[],
): Situation["wanted"] {
  const names = service && [...serviceNames(service), ...configurations.flatMap(wantedNames)];
  return {
    ...(names && { serving: [...new Set(names.map(canonicalName))] }),
    "hand-off": [HAND_OFF_NAME],
  };
}
