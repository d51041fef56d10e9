/** Who a mirror says it was last changed by. */
import { CHANGED_BY_ANNOTATION, CHANGE_ID_ANNOTATION } from "./labels.js";
import type { Author } from "./stamp.js";
import type { Write } from "./writes.js";

/**
 * The writes of a plan with the change that they carry out. It is never a reason to write: what is in order stays as it is,
 * and a stamp whose key was rotated away costs nothing.
 *
 * @param author undefined: nothing is known, and what the mirror says stays
 */
export function authored(writes: readonly Write[], author: Author | undefined): readonly Write[] {
  if (author === undefined) return writes;
  const { id = "", by = "" } = author.kind === "known" ? author.change : {};
  const said = { [CHANGE_ID_ANNOTATION]: id || null, [CHANGED_BY_ANNOTATION]: by || null };
  return writes.map((write) =>
    write.resource === "services" ? withAnnotations(write, said) : write,
  );
}

type Said = Readonly<Record<string, string | null>>;

/** In a merge patch null takes an annotation away; a new object just has none. */
function withAnnotations(write: Write, said: Said): Write {
  if (write.verb === "delete") return write;
  const { metadata = {} } = write.body as { readonly metadata?: Readonly<Record<string, unknown>> };
  const added =
    write.verb === "patch"
      ? said
      : Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
  const annotations = { ...(metadata["annotations"] as Said | undefined), ...added };
  return { ...write, body: { ...write.body, metadata: { ...metadata, annotations } } };
}
