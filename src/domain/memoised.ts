/** The same answer for the same two objects, for as long as both are there. For what is never edited; `compute` must be pure. */
export function memoised<O extends object, C extends object, R>(
  compute: (object: O, context: C) => R,
): (object: O, context: C) => R {
  const known = new WeakMap<C, WeakMap<O, { readonly result: R }>>();
  return (object, context) => {
    const results = known.get(context) ?? new WeakMap<O, { readonly result: R }>();
    known.set(context, results);
    const entry = results.get(object) ?? { result: compute(object, context) };
    results.set(object, entry);
    return entry.result;
  };
}
