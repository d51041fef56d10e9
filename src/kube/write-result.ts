/** What became of a write. */

import type { KubeObject, WriteResult } from "../ports/kube-api.js";
import { parseObjectBody } from "./objects.js";
import {
  type Answer,
  failureOf,
  hasCause,
  messageOf,
  type Status,
  statusOf,
  unexpected,
} from "./status.js";

/** The verbs that change something. */
type WriteVerb = "create" | "patch" | "replace" | "delete";

interface Written {
  /** Names the request in errors. */
  readonly where: string;
  readonly name: string;
  /** Of a create. */
  readonly namespace?: string | undefined;
}

/**
 * Reads the outcome of a write out of its answer.
 * @throws RetryableError or TerminalError for everything that is no expected outcome
 */
export function writeResult(verb: WriteVerb, answer: Answer, written: Written): WriteResult {
  if (answer.status >= 200 && answer.status < 300) {
    return {
      kind: "done",
      object: verb === "delete" ? leaving(answer, written) : stored(answer, written),
    };
  }
  const status = statusOf(answer);
  switch (answer.status) {
    case 404:
      return notFound(verb, status, written);
    case 409:
      return verb === "create" ? notCreated(answer, status, written) : { kind: "conflict" };
    case 400:
    case 422:
      return invalid(verb, answer, status);
    case 403:
      if (hasCause(status, "NamespaceTerminating")) {
        return { kind: "terminating", message: messageOf(answer) };
      }
      throw failureOf(written.where, answer);
    default:
      throw failureOf(written.where, answer);
  }
}

function stored(answer: Answer, written: Written): KubeObject {
  const object = parseObjectBody(answer.body);
  if (object?.metadata.name !== written.name) {
    throw unexpected(written.where, "the answer is not the object written");
  }
  return object;
}

/** Of a delete: the object, if it only goes with the last of its finalizers; else a Status, or the object as it was. */
function leaving(answer: Answer, { name }: Written): KubeObject | undefined {
  const object = parseObjectBody(answer.body);
  if (object?.metadata.name !== name) return undefined;
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length > 0 ? object : undefined;
}

/** Only the server itself says NotFound with the name; a 404 without it may be a proxy's. */
function notFound(verb: WriteVerb, status: Status | undefined, written: Written): WriteResult {
  const missing = verb === "create" ? written.namespace : written.name;
  if (status?.reason !== "NotFound" || missing === undefined || status.name !== missing) {
    throw unexpected(written.where, "404, but not for what was written");
  }
  return { kind: "not-found" };
}

/** But for the name, a create is in conflict with nothing that was sent: e.g. its quota lost too many races. */
function notCreated(answer: Answer, status: Status | undefined, { where }: Written): WriteResult {
  if (status?.reason === "AlreadyExists") return { kind: "already-exists" };
  throw failureOf(where, answer);
}

/**
 * NB: a merge patch with another object's uid is answered with 422, because uid is immutable; with a stale resource
 * version, which is looked at first, with 409. Source: client-go's users, e.g. kube-controller-manager
 * pkg/controller/controller_ref_manager.go, ReleasePod.
 */
function invalid(verb: WriteVerb, answer: Answer, status: Status | undefined): WriteResult {
  const otherUid = status?.causes.some((cause) => cause.field === "metadata.uid") ?? false;
  if (verb !== "create" && otherUid) return { kind: "conflict" };
  const fields = (status?.causes ?? []).map(({ field }) => field).filter((field) => field !== "");
  return { kind: "invalid", message: messageOf(answer), fields: [...new Set(fields)] };
}
