import type { Reflector } from "../watch/reflector.js";

/** How one watch stands, for health and metrics. */
export interface WatchHealth {
  readonly resource: string;
  /** It was listed once. */
  readonly synced: boolean;
  /** The last attempt to list or watch failed; another follows. */
  readonly broken: boolean;
  /** Monotonic ms at which the server last sent something. */
  readonly lastContactMs: number | undefined;
}

/** How this reflector stands now. */
export function watchHealth<T>(resource: string, reflector: Reflector<T>): WatchHealth {
  return {
    resource,
    synced: reflector.isSynced,
    broken: reflector.state === "broken",
    lastContactMs: reflector.lastContactMs,
  };
}
