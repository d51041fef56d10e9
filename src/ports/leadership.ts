import type { InjectionToken } from "tsyringe";

/** Whether this replica leads now, for those who only tell. Who *writes* asks its Term (term.ts). */
export interface Leadership {
  isLeader(): boolean;
}
export const Leadership: InjectionToken<Leadership> = Symbol("Leadership");
