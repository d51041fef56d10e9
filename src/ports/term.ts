/** One leadership. Everything that only a leader does lives within it. */
export interface Term {
  /** Aborts when leadership is lost or the process stops; no write starts after that. */
  readonly signal: AbortSignal;
  /** Counts the terms of this process, from 1. */
  readonly number: number;
  /** False as soon as the Lease may be another's: asked at the last moment before each write, so it needs no timer to become false. */
  permit(): boolean;
}
