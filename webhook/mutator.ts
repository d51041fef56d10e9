/**
 * Mutating admission: stamps each change that means something to the sync, and leaves every other object as it is. A no-op stays
 * a no-op, a dry run shows none of it, and the answer to its own answer is nothing.
 */
import {
  content,
  matters,
  signedText,
  stampAnnotations,
  stampIn,
  STAMP_KEYS,
  type Change,
  type ContentContext,
  type Signer,
  type Stamp,
} from "../src/domain/stamp.js";
import type { Service, StringMap } from "../src/domain/objects.js";
import type { Clock } from "../src/ports/clock.js";
import type { Digest } from "../src/ports/digest.js";
import type { Random } from "../src/ports/random.js";
import { parseRfc3339, rfc3339 } from "../src/ports/timestamps.js";
import { ExpiringMap } from "../src/ports/expiring-map.js";

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: string | StringMap }
  | { readonly op: "replace"; readonly path: string; readonly value: string }
  | { readonly op: "remove"; readonly path: string };

/** A create or an update. */
export interface Mutation {
  readonly dryRun: boolean;
  /** `userInfo.username`. */
  readonly username: string;
  /** undefined: it is created. */
  readonly before: Service | undefined;
  readonly after: Service;
  /** All annotations of the new object; undefined: it has none. */
  readonly annotations: StringMap | undefined;
}

export interface MutatorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly context: () => ContentContext;
  /** undefined: no key is loaded yet, so nothing is stamped. */
  readonly signer: () => Signer | undefined;
  readonly digest: Digest;
  /** What of a user's name is written, see `--changed-by`. */
  readonly shown: (username: string) => string;
}

/** For so long the same user's same content is the same change: one conflict inside the API server runs the whole chain again. */
const SAME_FOR_MS = 10_000;
/** Of what is remembered as it is: all but the longest, and a digest costs as much as looking it up ten times. */
const MAX_KEY_CHARS = 1_024;
/** Of 64 hex digits: more than can be met by chance. */
const DIGEST_CHARS = 32;
/** A stamp is a retry's own, not somebody else's that was copied, only when it is no older. The API server retries for 30 s. */
const OWN_FOR_MS = 30_000;

export class Mutator {
  readonly #recent: ExpiringMap<Change>;

  constructor(private readonly parts: MutatorParts) {
    this.#recent = new ExpiringMap({ clock: parts.clock, keepMs: SAME_FOR_MS, maxEntries: 1_000 });
  }

  /** Operations on annotations, none when nothing has to change. */
  mutate(mutation: Mutation): readonly PatchOperation[] {
    const signer = this.parts.signer();
    if (signer === undefined) return [];
    const wanted = this.#wanted(mutation, signer);
    return operations(mutation.annotations, wanted === undefined ? {} : stampAnnotations(wanted));
  }

  /** The stamp that the object has to carry; undefined: none. */
  #wanted(mutation: Mutation, signer: Signer): Stamp | undefined {
    const { before, after, dryRun } = mutation;
    const context = this.parts.context();
    const old = before && stampIn(before.annotations);
    if (dryRun || !matters(before, after, context)) return old;
    const own = stampIn(after.annotations);
    if (own !== undefined && this.#isOurs(own, mutation, signer)) return own;
    const change = this.#change(mutation);
    const text = signedText(after, uidOf(mutation), change, context);
    return { ...change, signature: signer.sign(text) };
  }

  /** Another entry, a reinvocation or a retry of the API server sees what we have just made. */
  #isOurs(stamp: Stamp, mutation: Mutation, signer: Signer): boolean {
    const { username, before, after } = mutation;
    // The stored one, of another content: most updates come with it.
    if (before !== undefined && stampIn(before.annotations)?.id === stamp.id) return false;
    const { clock, shown, context } = this.parts;
    const ageMs = clock.now() - (parseRfc3339(stamp.at) ?? 0);
    return (
      stamp.by === shown(username) &&
      Math.abs(ageMs) <= OWN_FOR_MS &&
      signer.fits(signedText(after, uidOf(mutation), stamp, context()), stamp.signature)
    );
  }

  #change({ username, after }: Mutation): Change {
    const { clock, random, shown, context, digest } = this.parts;
    const change: Change = { id: random.id(), by: shown(username), at: rfc3339(clock.now()) };
    // Whose name is generated is another Service each time.
    if (after.name === "") return change;
    const asked = JSON.stringify([after.name, username, content(after, context())]);
    // It is a stranger's, and may have megabytes.
    const key = asked.length <= MAX_KEY_CHARS ? asked : digest(asked, DIGEST_CHARS);
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    this.#recent.set(key, change);
    return change;
  }
}

/** Of the object that is changed; one that is created has none that lasts. */
function uidOf({ before }: Mutation): string {
  return before?.uid ?? "";
}

function operations(
  annotations: StringMap | undefined,
  wanted: StringMap,
): readonly PatchOperation[] {
  if (annotations === undefined) {
    const isNone = Object.keys(wanted).length === 0;
    return isNone ? [] : [{ op: "add", path: "/metadata/annotations", value: wanted }];
  }
  return STAMP_KEYS.flatMap((key): readonly PatchOperation[] => {
    const path = `/metadata/annotations/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const is = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    const value = wanted[key];
    if (is === value) return [];
    if (value === undefined) return [{ op: "remove", path }];
    return [{ op: is === undefined ? "add" : "replace", path, value }];
  });
}
