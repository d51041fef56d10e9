import type { InjectionToken } from "tsyringe";

/** The last lines of the log that tell of a change, for people who look at a page instead of the log. */
export interface AuditLines {
  /** Oldest first; the lines of a log in the human format, without their ends. */
  latest(): readonly string[];
}
export const AuditLines: InjectionToken<AuditLines> = Symbol("AuditLines");
