/** The `Status` answers of the fake API server, worded as the real one words them (measured, 1.36.3). */
import type { Resource } from "../../src/ports/kube-api.js";

/** One entry of `details.causes`. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** An answer that is not 2xx. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";

  /** @param reason the Status' machine-readable reason, e.g. "NotFound" */
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly causes: readonly Cause[] = [],
  ) {
    super(message);
  }
}

/** `services`, `endpointslices.discovery.k8s.io`: how the server's messages call a resource. */
function qualified(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function notFound(resource: Resource, name: string): ApiFailure {
  return new ApiFailure(404, "NotFound", `${qualified(resource)} "${name}" not found`);
}

export function namespaceNotFound(name: string): ApiFailure {
  return new ApiFailure(404, "NotFound", `namespaces "${name}" not found`);
}

/** Also when the taken name belongs to an object that is being deleted; then the message begins with that (measured). */
export function alreadyExists(resource: Resource, name: string, terminating: boolean): ApiFailure {
  const taken = `${qualified(resource)} "${name}" already exists`;
  return new ApiFailure(
    409,
    "AlreadyExists",
    terminating ? `object is being deleted: ${taken}` : taken,
  );
}

export function conflict(resource: Resource, name: string, why: string): ApiFailure {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new ApiFailure(409, "Conflict", message);
}

export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, "BadRequest", message);
}

export function expired(message: string): ApiFailure {
  return new ApiFailure(410, "Expired", message);
}

export function namespaceTerminating(resource: Resource, name: string, ns: string): ApiFailure {
  const message = `${qualified(resource)} "${name}" is forbidden: unable to create new content in namespace ${ns} because it is being terminated`;
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${ns} is being terminated`,
    field: "metadata.namespace",
  };
  return new ApiFailure(403, "Forbidden", message, [cause]);
}

/** One thing wrong with an object; `what` reads like "Required value". */
export interface Problem {
  readonly field: string;
  readonly what: string;
}

/** 422 for these problems. `reason` of each cause is always FieldValueInvalid here; the real server tells kinds apart. */
export function invalid(
  resource: Resource,
  name: string,
  problems: readonly Problem[],
): ApiFailure {
  const kind = resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
  const list = problems.map(({ field, what }) => `${field}: ${what}`).join(", ");
  return new ApiFailure(
    422,
    "Invalid",
    `${kind} "${name}" is invalid: ${problems.length > 1 ? `[${list}]` : list}`,
    problems.map(({ field, what }) => ({ reason: "FieldValueInvalid", message: what, field })),
  );
}
