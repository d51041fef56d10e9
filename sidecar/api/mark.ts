/**
 * How an object says that this link has written it through the API. Objects that were written raw carry nothing: their record is
 * in the same transaction. An API write and its record are two steps, and the mark is what a crash between them leaves.
 *
 * NB: the label's value is not the link's bare name. `svc-ferry run` selects what it sweeps by that label, and both may have been
 * given one name; as it is, it takes the mirror's objects for those of another installation, which they are.
 */
import type { ObjectMeta } from "../../src/ports/kube-api.js";

const LINK_LABEL = "svc-ferry.io/link";
/** The whole name, which a label's value may have no room for. This one decides. */
const LINK_ANNOTATION = "svc-ferry.io/mirror-link";
const SOURCE_UID_ANNOTATION = "svc-ferry.io/source-uid";
const MAX_LABEL_CHARS = 63;

/** Null removes a key, as in a merge patch. */
export interface Mark<T = string> {
  readonly labels: Readonly<Record<string, T>>;
  readonly annotations: Readonly<Record<string, T>>;
}

export function markOf(link: string, sourceUid: string): Mark {
  const value = `mirror.${link}`.slice(0, MAX_LABEL_CHARS).replace(/[^A-Za-z0-9]+$/, "");
  return {
    labels: { [LINK_LABEL]: value },
    annotations: { [LINK_ANNOTATION]: link, [SOURCE_UID_ANNOTATION]: sourceUid },
  };
}

export const NO_MARK: Mark<null> = {
  labels: { [LINK_LABEL]: null },
  annotations: { [LINK_ANNOTATION]: null, [SOURCE_UID_ANNOTATION]: null },
};

export function isMarked({ annotations = {} }: ObjectMeta, link: string): boolean {
  return annotations[LINK_ANNOTATION] === link && annotations[SOURCE_UID_ANNOTATION] !== undefined;
}
