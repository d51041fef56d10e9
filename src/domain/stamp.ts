/**
 * The stamp: which change a stored Service is, by whom and when. Mutating admission signs it and the API server stores it with
 * the change or not at all, so it is the queue entry that survives everything, and the only one that knows the person.
 *
 * The signature covers what of the Service the sync looks at, whatever the routes are: a route that is added makes no stamp
 * invalid. What is stored may later differ in ways that mean nothing; a stamp that somebody copied onto other content or
 * another object, or that a change made past the webhook left behind, fits no more.
 */
import { specOf } from "./desired.js";
import {
  CHANGED_AT_ANNOTATION,
  CHANGED_BY_ANNOTATION,
  CHANGE_ID_ANNOTATION,
  isCopiedLabel,
  isOurAnnotation,
  STAMP_ANNOTATION,
} from "./labels.js";
import { memoised } from "./memoised.js";
import type { Service, StringMap } from "./objects.js";
import { whyMirror } from "./selection.js";
import { mappings, type Mapping, type MappingContext } from "./target.js";

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
  /** Was it made with a key that is known here? Else nobody can tell whether it fits. */
  knows(signature: string): boolean;
}

export interface ContentContext extends MappingContext {
  readonly selectorKeys: ReadonlySet<string>;
}

/**
 * What of a Service decides over its mirrors: two versions with the same text are the same to the sync.
 *
 * NB: without families and uid. Mutating admission of a new Service sees it before the API server gives it any.
 */
export const content = memoised(contentOf);

/** Where a Service goes, for those who ask several times about the same version. */
export const wishes = memoised<Service, MappingContext, readonly Mapping[]>(mappings);

function contentOf(service: Service, context: ContentContext): string {
  const { namespace, labels, annotations } = service;
  const isCopied = (key: string): boolean =>
    context.routes.some((route) => route.copyAnnotations.includes(key));
  return JSON.stringify([
    namespace,
    nameOf(service),
    chosen(labels, (key) => isCopiedLabel(key) || context.selectorKeys.has(key)),
    chosen(annotations, (key) => !isStampKey(key) && (isOurAnnotation(key) || isCopied(key))),
    whyMirror(service, context) !== undefined,
    specOf(service),
  ]);
}

/** In one order, whoever wrote them down. */
function chosen(
  map: StringMap,
  isChosen: (key: string) => boolean,
): readonly (readonly string[])[] {
  const keys = Object.keys(map).filter(isChosen).toSorted();
  return keys.map((key) => [key, map[key] ?? ""]);
}

/** The API server cuts what a name is generated of, and adds five characters. Source: apiserver pkg/storage/names/generate.go. */
const MAX_GENERATED_BASE = 58;
const GENERATED = "xxxxx";

/** The same before and after a name is generated. */
function nameOf({ name, generateName }: Service): string {
  if (generateName === undefined || generateName === "") return name;
  const base = generateName.slice(0, MAX_GENERATED_BASE);
  const isGenerated = name.startsWith(base) && name.length === base.length + GENERATED.length;
  return name === "" || isGenerated ? `${base}${GENERATED}` : name;
}

/**
 * Does the step from one version to the other mean anything to the sync? undefined: there is none. Whatever the signature
 * covers means something, and families, which it cannot cover.
 */
export function matters(
  before: Service | undefined,
  after: Service | undefined,
  context: ContentContext,
): boolean {
  const was = isSelected(before, context);
  const is = isSelected(after, context);
  if (was !== is) return true;
  if (!is || before === undefined || after === undefined) return false;
  const isSame = content(before, context) === content(after, context);
  return !isSame || familiesOf(before) !== familiesOf(after);
}

function isSelected(service: Service | undefined, context: ContentContext): boolean {
  return service !== undefined && wishes(service, context).length > 0;
}

function familiesOf({ spec }: Service): string {
  const { ipFamilies = [], ipFamilyPolicy = "" } = spec;
  return [ipFamilyPolicy, ...ipFamilies].join(" ");
}

/**
 * What is signed.
 * @param uid of the object that is changed; "": of one that is created, which has no uid yet
 */
export function signedText(
  service: Service,
  uid: string,
  change: Change,
  context: ContentContext,
): string {
  const { id, by, at } = change;
  return JSON.stringify([uid, id, by, at, content(service, context)]);
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

function isStampKey(key: string): boolean {
  return STAMP_KEYS.includes(key);
}

/** Who made a Service what it is now. */
export type Author =
  | { readonly kind: "known"; readonly change: Change }
  /** It was changed past the webhook; `last` is what was admitted before. */
  | { readonly kind: "unknown"; readonly last: Change | undefined };

/**
 * Between the admission of a new Service and its creation, by the clocks of two machines. Its stamp knows no uid, so it would
 * fit one that is made of the same manifest, stamp included, long after.
 */
const CREATED_WITHIN_MS = 600_000;

/** By what a stamp is checked. */
export interface StampCheck {
  readonly signer: Signer;
  readonly context: ContentContext;
  /** RFC 3339 -> ms since the epoch. */
  readonly epochMs: (text: string) => number | undefined;
}

/** The watch, a pass and its line in the log ask about the same version. */
export const authorOf = memoised(signedAuthor);

function signedAuthor(service: Service, check: StampCheck): Author {
  const { signer, context } = check;
  const stamp = stampIn(service.annotations);
  if (stamp === undefined) return { kind: "unknown", last: undefined };
  const fits = (uid: string): boolean =>
    signer.fits(signedText(service, uid, stamp, context), stamp.signature);
  const isKnown = fits(service.uid) || (isOfCreation(service, stamp, check) && fits(""));
  return isKnown ? { kind: "known", change: stamp } : { kind: "unknown", last: stamp };
}

function isOfCreation(
  { creationTimestamp }: Service,
  { at }: Change,
  { epochMs }: StampCheck,
): boolean {
  const [admittedMs = NaN, createdMs = NaN] = [epochMs(at), epochMs(creationTimestamp)];
  return Math.abs(admittedMs - createdMs) <= CREATED_WITHIN_MS;
}
