/** What the leader will do next with the Secret, as far as one can tell from outside of it. Pure. */
import { nextMomentMs, rotation, type Situation, type Step } from "./rotation.js";

export interface Forecast {
  /** A wait: for the configurations, which takes as long as it takes. */
  readonly step: Step;
  /** At the earliest, epoch. */
  readonly atMs: number;
}

/**
 * Asks rotation what is due at each moment at which something may be. Nothing else changes meanwhile: nobody asks for anything,
 * the configurations stay.
 *
 * @returns undefined: nothing within the lifetime of a leaf, in which one has to be renewed if there is one
 */
export function forecast(situation: Situation): Forecast | undefined {
  const endMs = situation.nowMs + situation.settings.leafValidityMs;
  let later = situation;
  while (later.nowMs <= endMs) {
    const step = rotation(later);
    const { nowMs: atMs } = later;
    if (step.kind !== "wait" || step.for === "configurations") return { step, atMs };
    later = { ...later, nowMs: nextMomentMs(later) };
  }
  return undefined;
}
