/**
 * Finalizers that every control plane has a controller for. All others are dropped: nobody in the destination would ever remove
 * them, and the object could not be deleted there.
 */
const OWN: ReadonlySet<string> = new Set([
  "kubernetes.io/pvc-protection",
  "kubernetes.io/pv-protection",
  "customresourcecleanup.apiextensions.k8s.io",
]);

/** Put there by whoever deletes, together with a deletionTimestamp, which is not kept either. */
const OF_A_DELETION: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan"]);

/**
 * @param existing those of the destination's object: its controllers wait for theirs (a load balancer's, an operator's), so they
 * stay, in their place. To take one away would be undone at once, again and again, and leak what it stands for.
 */
export function wantedFinalizers(
  source: readonly string[],
  existing: readonly string[],
): readonly string[] {
  const kept = existing.filter((one) => !OF_A_DELETION.has(one));
  return [...kept, ...source.filter((one) => OWN.has(one) && !kept.includes(one))];
}
