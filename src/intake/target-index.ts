import type { Route } from "../domain/route.js";
import type { ServiceKey } from "../domain/service-key.js";
import { shared } from "../domain/shared-text.js";

/** One name that a source goes to. */
export interface Destined {
  readonly destination: string;
  readonly target: ServiceKey;
  readonly route: Route;
  /** The route refuses what the source asks for now; this is what it had before. */
  readonly retained?: true;
}

/** One source that wants a name, and the route by which it does. */
export interface Wanting {
  readonly source: ServiceKey;
  readonly route: Route;
  readonly retained?: true;
}

/** Who wants which name where, in both directions. Kept small: nearly every name has one source. */
export class TargetIndex {
  readonly #destined = new Map<ServiceKey, readonly Destined[]>();
  readonly #wanting = new Map<string, Map<ServiceKey, readonly Wanting[]>>();

  has(source: ServiceKey): boolean {
    return this.#destined.has(source);
  }

  of(source: ServiceKey): readonly Destined[] {
    return this.#destined.get(source) ?? [];
  }

  sources(destination: string, target: ServiceKey): readonly Wanting[] {
    return this.#wanting.get(destination)?.get(target) ?? [];
  }

  targets(destination: string): Iterable<ServiceKey> {
    return this.#wanting.get(destination)?.keys() ?? [];
  }

  /** Every name there, with those who want it. */
  wanting(destination: string): Iterable<readonly [ServiceKey, readonly Wanting[]]> {
    return this.#wanting.get(destination) ?? [];
  }

  /** Sets where a source goes (nowhere: empty) and returns where it no longer goes. */
  replace(
    source: ServiceKey,
    mapped: readonly Pick<Destined, "route" | "target" | "retained">[],
  ): readonly Destined[] {
    const before = this.of(source);
    const after = mapped.map(({ route, target, retained }) => ({
      destination: route.destination,
      target: shared(target),
      route,
      ...(retained === true ? { retained } : {}),
    }));
    for (const one of before) this.#removeWanting(source, one);
    if (after.length === 0) this.#destined.delete(source);
    else this.#destined.set(source, after);
    for (const one of after) this.#addWanting(source, one);
    return before.filter(
      (old) =>
        !after.some((one) => one.destination === old.destination && one.target === old.target),
    );
  }

  #addWanting(source: ServiceKey, { destination, target, ...how }: Destined): void {
    const targets = this.#wanting.get(destination) ?? new Map<ServiceKey, readonly Wanting[]>();
    this.#wanting.set(destination, targets);
    // Not spread: that leaves room for 16 more in each array.
    targets.set(target, (targets.get(target) ?? []).concat({ source, ...how }));
  }

  #removeWanting(source: ServiceKey, { destination, target }: Destined): void {
    const targets = this.#wanting.get(destination);
    const left = (targets?.get(target) ?? []).filter((one) => one.source !== source);
    if (left.length === 0) targets?.delete(target);
    else targets?.set(target, left);
  }
}
