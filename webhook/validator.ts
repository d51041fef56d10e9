/**
 * Validating admission: refuses what would newly take a name that cannot work, with the reason, and observes the rest. It reads
 * caches only, so that no cluster's outage is another's: what cannot be told now is allowed with a warning, and the core decides.
 */
import type { ReasonCode } from "../src/domain/codes.js";
import { winner } from "../src/domain/conflict.js";
import { TARGET_NAMESPACE_ANNOTATION, TARGET_NAME_ANNOTATION } from "../src/domain/labels.js";
import type { Service } from "../src/domain/objects.js";
import { whyForeign } from "../src/domain/ownership.js";
import { sourceOf, standing, whyLost, type Candidate } from "../src/domain/plan.js";
import { remarks } from "../src/domain/desired.js";
import type { Route } from "../src/domain/route.js";
import { keyOf, serviceKey, type ServiceKey } from "../src/domain/service-key.js";
import { wishes } from "../src/domain/stamp.js";
import type { Mapping, MappingContext } from "../src/domain/target.js";
import type { ClusterViews } from "../src/ports/cluster-views.js";
import { ExpiringMap } from "../src/ports/expiring-map.js";
import type { Clock } from "../src/ports/clock.js";

/** A create, an update or a deletion (then there is no `after`). */
export interface Admission {
  readonly dryRun: boolean;
  readonly before: Service | undefined;
  readonly after: Service | undefined;
}

export type Verdict =
  | { readonly kind: "allowed"; readonly warnings: readonly string[] }
  | {
      readonly kind: "refused";
      readonly code: ReasonCode;
      readonly message: string;
      /** Path of the field to change. */
      readonly field: string;
    };

export interface ValidatorParts {
  readonly clock: Clock;
  readonly views: ClusterViews;
  readonly context: () => MappingContext;
}

/** Longer than from an answer to the stored object in every cache; what was not stored by then never is. */
const RESERVED_FOR_MS = 10_000;

type Refusal = Extract<Verdict, { kind: "refused" }>;
type Wish = Extract<Mapping, { kind: "target" }>;

/** What one mapping makes of the request. */
type Finding = Refusal | { readonly kind: "warning"; readonly text: string } | undefined;

export class Validator {
  /** Names that this replica gave away a moment ago, which no cache can show yet: by whom they are held. */
  readonly #reserved: ExpiringMap<ServiceKey>;

  constructor(private readonly parts: ValidatorParts) {
    const { clock } = parts;
    this.#reserved = new ExpiringMap({ clock, keepMs: RESERVED_FOR_MS, maxEntries: 10_000 });
  }

  validate({ before, after, dryRun }: Admission): Verdict {
    const context = this.parts.context();
    const had = before === undefined ? [] : wishes(before, context);
    if (before !== undefined && !dryRun) this.#release(had, before);
    // A removal is never blocked, neither by the object's end nor by its label's.
    if (after === undefined || after.deleting) return { kind: "allowed", warnings: [] };
    const wants = wishes(after, context);
    const findings = wants.map((mapping) => this.#judge(mapping, after, had));
    const refusal = findings.find((finding) => finding?.kind === "refused");
    if (refusal?.kind === "refused") return refusal;
    if (!dryRun) {
      const given = wants.filter((_, index) => findings[index] === undefined);
      for (const wish of given) this.#reserve(wish, after);
    }
    const isNew = wants.length > 0 && had.length === 0;
    const warnings = [
      ...findings.flatMap((finding) => (finding?.kind === "warning" ? [finding.text] : [])),
      ...(isNew ? remarks(after).map(({ message }) => message) : []),
    ];
    return { kind: "allowed", warnings: [...new Set(warnings)] };
  }

  /** The source's cache shows this Service: what it holds needs no reservation any more. */
  observed(service: Service): void {
    this.#release(wishes(service, this.parts.context()), service);
  }

  /** What is not new is never refused: an innocent edit must not fail for a name that was lost before. */
  #judge(mapping: Mapping, after: Service, had: readonly Mapping[]): Finding {
    const { reason, target } = this.#problem(mapping, after);
    if (reason === undefined) return undefined;
    if (reason.code === undefined) return { kind: "warning", text: reason.message };
    const isOld = had.some(
      (one) =>
        one.route.destination === mapping.route.destination &&
        one.target === target &&
        one.kind === mapping.kind,
    );
    if (isOld) return { kind: "warning", text: `not synced: ${reason.message}` };
    const { code } = reason;
    return {
      kind: "refused",
      code,
      field: fieldOf(code, after),
      message: `cannot sync Service ${serviceKey(after.namespace, after.name)}: ${reason.message} (${code})`,
    };
  }

  #problem(
    mapping: Mapping,
    after: Service,
  ): {
    readonly target: ServiceKey;
    readonly reason: { readonly code?: ReasonCode; readonly message: string } | undefined;
  } {
    const { target } = mapping;
    if (mapping.kind === "refused") return { target, reason: mapping.reason };
    return { target, reason: this.#whyTaken(mapping, after) };
  }

  /** Without a code: it cannot be told now. */
  #whyTaken(
    { route, target }: Wish,
    after: Service,
  ): { readonly code?: ReasonCode; readonly message: string } | undefined {
    const { views } = this.parts;
    const { destination } = route;
    const view = views.destination(destination);
    if (view === undefined || !views.sourceSynced) {
      return {
        message: `svc-ferry cannot tell yet whether ${target} is free in ${destination}; it decides when it can`,
      };
    }
    const existing = view.existing(target);
    if (existing.kind === "foreign") {
      // It may be k8s-svc-sync's; only the core can tell, and it adopts or refuses with an Event.
      return existing.foreign.bare && Object.keys(existing.foreign.labels).length > 0
        ? { message: `${target} exists in ${destination}; it is adopted if k8s-svc-sync made it` }
        : whyForeign(target, existing.foreign);
    }
    const holder = existing.kind === "ours" ? sourceOf(existing.service) : undefined;
    const self: Candidate = { service: after, route };
    const others = standing(views.source.candidates(destination, target), holder).filter(
      ({ service }) => !isSame(service, after),
    );
    const first = winner([after, ...others.map(({ service }) => service)], holder);
    const winning = others.find(({ service }) => service === first);
    if (winning !== undefined) return whyLost(self, winning, target);
    const reserved = this.#reserved.get(reservation(route, target));
    if (reserved === undefined || reserved === keyOf(after) || holder === keyOf(after)) {
      return undefined;
    }
    // It has got what it was promised, as the caches show: so they know of whom to take it over, too.
    if (reserved === holder) return undefined;
    return {
      code: "name-taken",
      message: `${target} was given to ${reserved} a moment ago; set ${TARGET_NAME_ANNOTATION} to another name`,
    };
  }

  #reserve(mapping: Mapping, after: Service): void {
    if (mapping.kind !== "target") return;
    const { route, target } = mapping;
    const known = this.parts.views.source.candidates(route.destination, target);
    // Every cache knows that it wants the name.
    if (known.some(({ service }) => isSame(service, after))) return;
    this.#reserved.set(reservation(route, target), keyOf(after));
  }

  /** What a Service gives up is free for the next one at once; if it is not stored after all, the core decides. */
  #release(had: readonly Mapping[], before: Service): void {
    for (const { route, target } of had) {
      const key = reservation(route, target);
      if (this.#reserved.get(key) === keyOf(before)) this.#reserved.delete(key);
    }
  }
}

function reservation({ destination }: Route, target: ServiceKey): string {
  return `${destination} ${target}`;
}

function isSame(one: Service, other: Service): boolean {
  return one.namespace === other.namespace && one.name === other.name;
}

/** Where the user has to change something. */
function fieldOf(code: ReasonCode, { annotations }: Service): string {
  const annotation = (key: string): string => `metadata.annotations[${key}]`;
  if (code === "is-a-mirror") return "metadata.labels";
  if (code === "target-not-allowed" || code === "invalid-namespace") {
    return annotation(TARGET_NAMESPACE_ANNOTATION);
  }
  return annotations[TARGET_NAME_ANNOTATION] === undefined
    ? "metadata.name"
    : annotation(TARGET_NAME_ANNOTATION);
}
