/**
 * Asks a handler, and has an answer in any case and in time.
 *
 * A handler that is late or throws means: allowed, with a warning. Not an error to the API server, which would let
 * failurePolicy decide. Under Ignore that is the same for the object, but the person learns nothing; under Fail a defect of
 * ours would block every labelled Service of the cluster. Fail asks for the webhook to be there; that it cannot tell is a thing
 * of its own, as with a destination that is down. The core decides on the stored object either way: without a stamp the change
 * is synced "by unknown", without a check a taken name is refused there, with an Event.
 */
import { OVER } from "../src/ports/aborted.js";
import type { Clock } from "../src/ports/clock.js";
import type { AdmissionHandler, Answer } from "./admission-handler.js";
import type { AdmissionReview } from "./admission-review.js";

export type Asked<R> =
  | { readonly kind: "answered"; readonly result: R }
  | { readonly kind: "late" }
  | { readonly kind: "failed"; readonly error: unknown };

interface AskOptions<A, R> {
  readonly clock: Clock;
  /** Makes of the answer what is sent. An error here is the handler's too. */
  readonly write: (answer: A) => R;
  /** How long the handler has. Nothing or less: it is too late to ask at all. */
  readonly budgetMs: number;
}

/** At once what a handler says at once: then the answer is on its way before anything that the handler set in motion. */
export function ask<A extends Answer, R>(
  handler: AdmissionHandler<A>,
  review: AdmissionReview,
  options: AskOptions<A, R>,
): Asked<R> | Promise<Asked<R>> {
  const { budgetMs, write } = options;
  if (budgetMs <= 0) return { kind: "late" };
  const late = { aborted: false };
  try {
    const answer = handler(review, late);
    if (answer instanceof Promise) return withinBudget(answer, late, options);
    return { kind: "answered", result: write(answer) };
  } catch (error) {
    late.aborted = true;
    return { kind: "failed", error };
  }
}

async function withinBudget<A, R>(
  answer: Promise<A>,
  late: { aborted: boolean },
  { clock, budgetMs, write }: AskOptions<A, R>,
): Promise<Asked<R>> {
  const answered = new AbortController();
  const timeUp = clock.sleep(budgetMs, answered.signal).then((): Asked<R> => ({ kind: "late" }));
  try {
    // What it says after its time, error or not, is nobody's any more.
    return await Promise.race([
      answer.then((value): Asked<R> => ({ kind: "answered", result: write(value) })),
      timeUp,
    ]);
  } catch (error) {
    return { kind: "failed", error };
  } finally {
    answered.abort(OVER);
    late.aborted = true;
  }
}
