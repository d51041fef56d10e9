/**
 * Finalizers that every control plane has a controller for. All others are dropped: nobody in the destination would ever remove
 * them, and the object could not be deleted there.
 */
const OWN: ReadonlySet<string> = new Set([
  "kubernetes.io/pvc-protection",
  "kubernetes.io/pv-protection",
  "customresourcecleanup.apiextensions.k8s.io",
]);

/** @param existing those of the destination's object: its controllers may have added theirs, which stay, in their place */
export function wantedFinalizers(
  source: readonly string[],
  existing: readonly string[],
): readonly string[] {
  const kept = existing.filter((one) => OWN.has(one));
  return [...kept, ...source.filter((one) => OWN.has(one) && !kept.includes(one))];
}
