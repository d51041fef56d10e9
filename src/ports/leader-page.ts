import type { InjectionToken } from "tsyringe";

/** The page as the leader sees it, for those who look at another replica: a port-forward leads to any of them. */
export interface LeaderPage {
  /**
   * What the leader shows as JSON has it: it may be of another release, so whoever asks reads it with care.
   * undefined: there is nobody to ask, this replica leads, or no answer came in time. Never rejects.
   *
   * @param search of the address, "" or "?q=shop&page=2"
   */
  ask(search: string): Promise<unknown>;
}
export const LeaderPage: InjectionToken<LeaderPage> = Symbol("LeaderPage");
