/** Places where keys may come from, as one kind of thing. */
import type { Clock } from "../../ports/clock.js";
import type { Environment } from "../environment.js";
import type { AwsKeys } from "./keys.js";
import type { Sts } from "./sts.js";

/** What every provider may look at. */
export interface AwsSurroundings {
  readonly env: Environment;
  readonly clock: Clock;
  readonly sts: Sts;
}

/** Nothing is set up there: the next provider is asked. */
export interface Absent {
  readonly absent: string;
}

/**
 * One place. @throws Error when something is set up there and does not work: the chain ends then, because keys of another
 * provider would be those of somebody else.
 */
export type Provider = (around: AwsSurroundings) => Promise<AwsKeys | Absent>;

export function isAbsent(found: AwsKeys | Absent): found is Absent {
  return "absent" in found;
}
