import type { Reason } from "../domain/codes.js";
import type { Candidate } from "../domain/plan.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { ErrorCode } from "../ports/errors.js";
import { candidateKey } from "./adoption.js";

/** Where one source Service stands in one destination; the `state` of /status. */
export type SyncState =
  "synced" | "pending" | "conflict" | "refused" | "retrying" | "paused" | "held";

/** States whose end deserves a line, because their beginning had one. */
export const TOLD: ReadonlySet<SyncState> = new Set(["conflict", "refused", "paused"]);

/** Why attempts fail, for people. */
export interface Failure {
  readonly code: ErrorCode | "unknown";
  readonly message: string;
}

/** What the last passes told about one source Service and one target. Times are ms since the epoch. */
export interface ServiceState {
  readonly source: ServiceKey;
  readonly target: ServiceKey;
  readonly route: string | undefined;
  readonly state: SyncState;
  readonly reason: Reason | Failure | undefined;
  /** Synced, but somebody should look. undefined: no pass has got so far. */
  readonly remarks: readonly Reason[] | undefined;
  readonly endpoints:
    { readonly ready: number; readonly total: number; readonly slices: number } | undefined;
  readonly lastChangeMs: number | undefined;
  readonly lastWriteMs: number | undefined;
  /** From the moment the change was seen to the end of its last write. */
  readonly lagMs: number | undefined;
}

/** Nothing is known yet. */
export function blankState(candidate: Candidate, target: ServiceKey): ServiceState {
  return {
    source: candidateKey(candidate),
    target,
    route: candidate.route.name,
    state: "pending",
    reason: undefined,
    remarks: undefined,
    endpoints: undefined,
    lastChangeMs: undefined,
    lastWriteMs: undefined,
    lagMs: undefined,
  };
}

/** States of one destination, found by target, which is what a pass knows. */
export class ServiceStates {
  /** Nearly every target has one source: an array is smaller than a map and as fast. */
  readonly #byTarget = new Map<ServiceKey, readonly ServiceState[]>();
  /** How many states each source has. */
  readonly #counts = new Map<ServiceKey, number>();

  get(target: ServiceKey, source: ServiceKey): ServiceState | undefined {
    return this.#byTarget.get(target)?.find((state) => state.source === source);
  }

  set(state: ServiceState): void {
    const before = this.#of(state.target);
    const others = before.filter(({ source }) => source !== state.source);
    if (others.length === before.length) this.#count(state.source, 1);
    // Not spread: that leaves room for 16 more in each array.
    this.#byTarget.set(state.target, others.concat(state));
  }

  /** Is anything known of this source, under whatever target? */
  has(source: ServiceKey): boolean {
    return this.#counts.has(source);
  }

  /** Forgets those sources of a target that no longer want it; returns what they were. */
  keepOnly(target: ServiceKey, wanting: ReadonlySet<ServiceKey>): readonly ServiceState[] {
    const gone = this.#of(target).filter((state) => !wanting.has(state.source));
    if (gone.length === 0) return gone;
    for (const { source } of gone) this.#count(source, -1);
    const left = this.#of(target).filter((state) => wanting.has(state.source));
    if (left.length === 0) this.#byTarget.delete(target);
    else this.#byTarget.set(target, left);
    return gone;
  }

  /** Nothing can be attempted at all; who was told of trouble of its own keeps that. */
  stall(reason: Failure): void {
    for (const state of [...this.all()]) {
      const isSaid = state.state === "retrying" && state.reason?.code === reason.code;
      if (!isSaid && !TOLD.has(state.state)) this.set({ ...state, state: "retrying", reason });
    }
  }

  *all(): Generator<ServiceState> {
    for (const states of this.#byTarget.values()) yield* states;
  }

  clear(): void {
    this.#byTarget.clear();
    this.#counts.clear();
  }

  #count(source: ServiceKey, by: 1 | -1): void {
    const count = (this.#counts.get(source) ?? 0) + by;
    if (count > 0) this.#counts.set(source, count);
    else this.#counts.delete(source);
  }

  #of(target: ServiceKey): readonly ServiceState[] {
    return this.#byTarget.get(target) ?? [];
  }
}
