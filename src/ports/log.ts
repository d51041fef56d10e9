import type { InjectionToken } from "tsyringe";

/** Where a line about one Service comes from and goes to; printed as `[from → to]` in the human format. */
export interface LogRoute {
  /** `context/namespace/name` in the source. */
  readonly from: string;
  /** `context/namespace/name` in the destination. */
  readonly to: string;
}

/**
 * Fields of one record. Values may be untrusted (names, messages of other servers): the logger escapes and cuts them.
 * `route` and `err` are special, all else is printed as it is.
 */
export interface LogFields {
  readonly route?: LogRoute;
  readonly err?: unknown;
  readonly [field: string]: unknown;
}

/**
 * The log. Messages are constant lower-case text; what varies goes into fields.
 * info = a state change an operator wants; debug = each decision; warn = we recovered; error = a human is needed.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `component` to each record. */
  child(component: string): Log;
}
export const Log: InjectionToken<Log> = Symbol("Log");
