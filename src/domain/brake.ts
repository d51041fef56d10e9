/** The brake on mass deletion: a wrong selector or a lying source must not empty a destination. */

export type BrakeVerdict =
  | { readonly kind: "open" }
  | { readonly kind: "blocked"; readonly unwanted: number; readonly mirrors: number };

/** Few deletions are never a disaster, and a small installation must be able to shrink. */
const FREE_DELETIONS = 10;
const MAX_SHARE = 0.3;

/**
 * May a sweep that found `unwanted` of `mirrors` mirrors delete them? All or none: a share of a mistake is a mistake.
 *
 * @param allowed a person said that so many are right; 0: nobody said anything
 */
export function brake(unwanted: number, mirrors: number, allowed: number): BrakeVerdict {
  const tooMany = unwanted > FREE_DELETIONS && unwanted > mirrors * MAX_SHARE;
  return tooMany && unwanted > allowed ? { kind: "blocked", unwanted, mirrors } : { kind: "open" };
}
