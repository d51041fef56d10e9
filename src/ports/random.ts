import type { InjectionToken } from "tsyringe";

/** Randomness for jitter and ids; seeded in the simulation. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** 16 lower-case hex characters, unique enough to name a process or a change. */
  id(): string;
}
export const Random: InjectionToken<Random> = Symbol("Random");
