/** Who gets a name when several sources want it: one pure function for core, webhook and explain. */
import { RELEASE_TO_ANNOTATION, TAKEOVER_ANNOTATION } from "./labels.js";
import type { Service } from "./objects.js";
import { keyOf, type ServiceKey } from "./service-key.js";

/**
 * Of several candidates for one name: whoever holds the mirror keeps it as long as it wants it (never break what
 * works), unless another was told to take over; without a holder the oldest wins, then the first by namespace/name.
 *
 * @param holder the source that the mirror in the destination names, if there is one
 */
export function winner(
  candidates: readonly Service[],
  holder: ServiceKey | undefined,
): Service | undefined {
  const [oldest] = [...candidates].sort(byAge);
  const holding = candidates.find((candidate) => keyOf(candidate) === holder);
  if (holding === undefined) return oldest;
  const [successor] = candidates
    .filter((candidate) => takesOver(candidate, holding, candidates))
    .sort(byAge);
  return successor ?? holding;
}

/**
 * Within one namespace the new one's word is enough; across namespaces the holder must have released the name to it.
 * Only a younger one replaces, and some that name each other in a ring change nothing: else the name would go round for ever.
 */
function takesOver(candidate: Service, holding: Service, candidates: readonly Service[]): boolean {
  const key = keyOf(candidate);
  return (
    candidate !== holding &&
    candidate.annotations[TAKEOVER_ANNOTATION] === keyOf(holding) &&
    !replaces(holding, key, candidates) &&
    candidate.creationTimestamp >= holding.creationTimestamp &&
    (candidate.namespace === holding.namespace ||
      holding.annotations[RELEASE_TO_ANNOTATION] === key)
  );
}

/** Does `one` say, itself or by way of those whom it replaces, that it replaces `key`? */
function replaces(one: Service, key: ServiceKey, candidates: readonly Service[]): boolean {
  const seen = new Set<Service>();
  let current: Service | undefined = one;
  while (current !== undefined && !seen.has(current)) {
    seen.add(current);
    const replaced: string | undefined = current.annotations[TAKEOVER_ANNOTATION];
    if (replaced === key) return true;
    current = candidates.find((candidate) => keyOf(candidate) === replaced);
  }
  return false;
}

function byAge(a: Service, b: Service): number {
  return compare(a.creationTimestamp, b.creationTimestamp) || compare(keyOf(a), keyOf(b));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
