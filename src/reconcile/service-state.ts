import type { Reason, ReasonCode } from "../domain/codes.js";
import type { Candidate } from "../domain/plan.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { ErrorCode } from "../ports/errors.js";
import { candidateKey } from "./adoption.js";

/** Where one source Service stands in one destination; the `state` of /status. */
export type SyncState =
  "synced" | "pending" | "conflict" | "refused" | "retrying" | "paused" | "held";

/** What the last passes told about one source Service and one target. Times are ms since the epoch. */
export interface ServiceState {
  readonly source: ServiceKey;
  readonly target: ServiceKey;
  readonly route: string | undefined;
  readonly state: SyncState;
  readonly reason:
    { readonly code: ReasonCode | ErrorCode | "unknown"; readonly message: string } | undefined;
  /** Synced, but somebody should look. */
  readonly remarks: readonly Reason[];
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
    remarks: [],
    endpoints: undefined,
    lastChangeMs: undefined,
    lastWriteMs: undefined,
    lagMs: undefined,
  };
}

/** States of one destination, found by target (what a pass knows) and by source (what a person asks). */
export class ServiceStates {
  /** Nearly every target has one source: an array is smaller than a map and as fast. */
  readonly #byTarget = new Map<ServiceKey, readonly ServiceState[]>();

  get(target: ServiceKey, source: ServiceKey): ServiceState | undefined {
    return this.#byTarget.get(target)?.find((state) => state.source === source);
  }

  set(state: ServiceState): void {
    const others = this.#of(state.target).filter(({ source }) => source !== state.source);
    this.#byTarget.set(state.target, [...others, state]);
  }

  /** Forgets those sources of a target that no longer want it; returns what they were. */
  keepOnly(target: ServiceKey, wanting: ReadonlySet<ServiceKey>): readonly ServiceState[] {
    const gone = this.#of(target).filter((state) => !wanting.has(state.source));
    if (gone.length === 0) return gone;
    const left = this.#of(target).filter((state) => wanting.has(state.source));
    if (left.length === 0) this.#byTarget.delete(target);
    else this.#byTarget.set(target, left);
    return gone;
  }

  *all(): Generator<ServiceState> {
    for (const states of this.#byTarget.values()) yield* states;
  }

  clear(): void {
    this.#byTarget.clear();
  }

  #of(target: ServiceKey): readonly ServiceState[] {
    return this.#byTarget.get(target) ?? [];
  }
}
