/**
 * The stamp: which change a stored Service is, by whom and when. Mutating admission signs it and the API server stores it with
 * the change or not at all, so it is the queue entry that survives everything, and the only one that knows the person.
 *
 * The signature covers what the change means for the sync. What is stored may later differ in ways that mean nothing; a stamp
 * that somebody copied onto other content, or that a change made past the webhook left behind, fits no more.
 */
import { desired } from "./desired.js";
import {
  CHANGED_AT_ANNOTATION,
  CHANGED_BY_ANNOTATION,
  CHANGE_ID_ANNOTATION,
  PAUSED_ANNOTATION,
  RELEASE_TO_ANNOTATION,
  STAMP_ANNOTATION,
  TAKEOVER_ANNOTATION,
} from "./labels.js";
import type { Service, StringMap } from "./objects.js";
import { mappings, type MappingContext } from "./target.js";

/** One admitted change. */
export interface Change {
  readonly id: string;
  /** As `--changed-by` lets it be written: a name, its hash, or "". */
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface Stamp extends Change {
  /** Of `signedText`, hex. */
  readonly signature: string;
}

/** Signs with the installation's key. */
export interface Signer {
  sign(text: string): string;
  /** Also with the key before the last rotation. */
  fits(text: string, signature: string): boolean;
}

export interface ContentContext extends MappingContext {
  readonly selectorKeys: ReadonlySet<string>;
  readonly routeRecords: ReadonlyMap<string, string>;
}

/** Annotations that decide over a mirror without being part of it. */
const DECIDING = [PAUSED_ANNOTATION, TAKEOVER_ANNOTATION, RELEASE_TO_ANNOTATION];

/**
 * What a Service means for its mirrors: two versions with the same text are the same to the sync. "" for one that no route
 * selects.
 *
 * NB: without families. Mutating admission of a new Service sees it before the API server gives it any.
 */
export function meaning(service: Service, context: ContentContext): string {
  const known = KNOWN.get(context) ?? new WeakMap<Service, string>();
  KNOWN.set(context, known);
  const text = known.get(service) ?? meaningOf(service, context);
  known.set(service, text);
  return text;
}

/** One review asks five times about the same two versions. */
const KNOWN = new WeakMap<ContentContext, WeakMap<Service, string>>();

function meaningOf(service: Service, context: ContentContext): string {
  const { ipFamilies: _families, ipFamilyPolicy: _policy, ...spec } = service.spec;
  const name = service.generateName ?? service.name;
  const bare: Service = { ...service, name, uid: "", spec };
  const wishes = mappings(bare, context).map((mapping) => {
    const { route, target } = mapping;
    if (mapping.kind === "refused") return [route.destination, target, mapping.reason.code];
    const mirror = desired(bare, route, { ...NOWHERE, ...context });
    return [route.destination, target, mirror];
  });
  if (wishes.length === 0) return "";
  return JSON.stringify([wishes, DECIDING.map((key) => service.annotations[key] ?? "")]);
}

/** Of a mirror only what does not follow from the Service. */
const NOWHERE = { link: "", sourceCluster: "", families: ["IPv4"] } as const;

/** Does the step from one version to the other mean anything to the sync? undefined: there is none. */
export function matters(
  before: Service | undefined,
  after: Service | undefined,
  context: ContentContext,
): boolean {
  const was = before === undefined ? "" : meaning(before, context);
  const is = after === undefined ? "" : meaning(after, context);
  if (was !== is) return true;
  return is !== "" && familiesOf(before) !== familiesOf(after);
}

function familiesOf(service: Service | undefined): string {
  const { ipFamilies = [], ipFamilyPolicy = "" } = service?.spec ?? {};
  return [ipFamilyPolicy, ...ipFamilies].join(" ");
}

/** What is signed. */
export function signedText(service: Service, change: Change, context: ContentContext): string {
  const name = service.generateName ?? service.name;
  const { id, by, at } = change;
  return JSON.stringify([service.namespace, name, id, by, at, meaning(service, context)]);
}

/** The stamp that these annotations carry; undefined when a part is missing. */
export function stampIn(annotations: StringMap): Stamp | undefined {
  const id = annotations[CHANGE_ID_ANNOTATION];
  const by = annotations[CHANGED_BY_ANNOTATION];
  const at = annotations[CHANGED_AT_ANNOTATION];
  const signature = annotations[STAMP_ANNOTATION];
  if (id === undefined || by === undefined || at === undefined || signature === undefined) {
    return undefined;
  }
  return { id, by, at, signature };
}

export function stampAnnotations({ id, by, at, signature }: Stamp): StringMap {
  return {
    [CHANGE_ID_ANNOTATION]: id,
    [CHANGED_BY_ANNOTATION]: by,
    [CHANGED_AT_ANNOTATION]: at,
    [STAMP_ANNOTATION]: signature,
  };
}

/** All keys of a stamp: whatever is left of one is removed with it. */
export const STAMP_KEYS: readonly string[] = [
  CHANGE_ID_ANNOTATION,
  CHANGED_BY_ANNOTATION,
  CHANGED_AT_ANNOTATION,
  STAMP_ANNOTATION,
];

/** Who made a Service what it is now. */
export type Author =
  | { readonly kind: "known"; readonly change: Change }
  /** It was changed past the webhook; `last` is what was admitted before. */
  | { readonly kind: "unknown"; readonly last: Change | undefined };

export function authorOf(service: Service, signer: Signer, context: ContentContext): Author {
  const stamp = stampIn(service.annotations);
  if (stamp === undefined) return { kind: "unknown", last: undefined };
  const fits = signer.fits(signedText(service, stamp, context), stamp.signature);
  return fits ? { kind: "known", change: stamp } : { kind: "unknown", last: stamp };
}
