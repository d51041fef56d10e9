import type { Stage } from "../stage.js";

/** One chapter of the demo. */
export interface Step {
  /** The heading: what happens, as a sentence. */
  readonly title: string;
  /** Does it and waits until it has come true. @throws Error when it does not */
  play(stage: Stage): Promise<void>;
}
