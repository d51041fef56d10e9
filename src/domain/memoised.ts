/** How many answers are kept: as many as are asked about in turns. */
const KEPT = 4;

/**
 * The same answer for the same two values, when they are asked about again at once. For what is never edited; `compute` must be
 * pure, and nobody may edit its answer.
 *
 * NB: no WeakMap. Its entries cost each collection of garbage more than what is saved.
 */
export function memoised<O, C, R>(
  compute: (object: O, context: C) => R,
): (object: O, context: C) => R {
  const known: { readonly object: O; readonly context: C; readonly result: R }[] = [];
  let next = 0;
  return (object, context) => {
    const found = known.find((one) => one.object === object && one.context === context);
    if (found !== undefined) return found.result;
    const result = compute(object, context);
    known[next] = { object, context, result };
    next = (next + 1) % KEPT;
    return result;
  };
}
