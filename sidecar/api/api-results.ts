/** What the answer to a write means for the object that it was about. */
import type { WriteResult } from "../../src/ports/kube-api.js";
import type { ApiApplied, ApiRemoved, ApiUnavailable } from "./api-writer.js";

/** Each attempt begins with a read, and there were enough of them. */
export const TOO_BUSY: ApiUnavailable = {
  kind: "unavailable",
  isAway: false,
  detail: "others keep changing it",
};

/** @param before resourceVersion of what was replaced: the server keeps it when nothing changes */
export function written(
  result: Exclude<WriteResult, { kind: "not-found" }>,
  before: string | undefined,
): ApiApplied {
  switch (result.kind) {
    case "done": {
      const { uid = "", resourceVersion = "" } = result.object?.metadata ?? {};
      const isWritten = resourceVersion !== before;
      return { kind: "applied", uid, resourceVersion, written: isWritten, repaired: [] };
    }
    case "terminating":
      return { kind: "namespace-terminating" };
    case "invalid":
      return { kind: "refused", detail: invalid(result) };
    case "already-exists":
    case "conflict":
      return TOO_BUSY;
  }
}

export function removedBy(result: WriteResult): ApiRemoved {
  switch (result.kind) {
    case "done":
    case "not-found":
      return { kind: "removed" };
    case "conflict":
    case "already-exists":
    case "terminating":
      return { kind: "changed" };
    case "invalid":
      return { kind: "refused", detail: invalid(result) };
  }
}

/** The server's message may quote the object; the paths do not. */
function invalid({ fields = [] }: Extract<WriteResult, { kind: "invalid" }>): string {
  return fields.length === 0 ? "invalid" : `invalid: ${fields.join(", ")}`;
}
