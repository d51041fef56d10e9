/**
 * The API of one Kubernetes cluster as raw JSON: nothing is dropped, times and
 * resource versions stay the strings that the server sent.
 *
 * Expected outcomes of a write are return values. All else is thrown as
 * RetryableError or TerminalError (ports/errors.ts).
 */

import type { ObjectMeta } from "../domain/objects.js";

export type { ObjectMeta } from "../domain/objects.js";

/** A kind of object as its URL names it: `group` is "" for core/v1. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** The kind, as `kind:` in a manifest. */
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Any object; what lies beside `metadata` is parsed by whoever knows the kind. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface ListOptions {
  /** undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects per page; undefined: all in one answer. */
  readonly limit?: number | undefined;
  /** From the last page. */
  readonly continueToken?: string | undefined;
  /** Ask for PartialObjectMetadata. */
  readonly metadataOnly?: boolean | undefined;
}

/** One page. Read by quorum: never older than the moment the request was sent. */
export interface KubeList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Set while there are more pages. */
  readonly continueToken: string | undefined;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  /** Events after this one are sent. */
  readonly resourceVersion: string;
  /** The server ends the watch after this many seconds. */
  readonly timeoutSeconds: number;
  /** No byte for this long (bookmarks come about every minute): RetryableError FERRY-K010. */
  readonly stallMs: number;
}

export type WatchEvent =
  | { readonly kind: "added" | "modified" | "deleted"; readonly object: KubeObject }
  | { readonly kind: "bookmark"; readonly resourceVersion: string };

/** `namespace` is undefined for cluster-scoped objects. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** The object must still be this one, or the write changes nothing and answers `conflict`. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** Which request goes out first when connections are short. */
export type Priority = "live" | "bulk" | "event";

export interface GetOptions {
  /** Over a connection opened for this request alone, which `connections` does not count: who answers at the address now. */
  readonly fresh?: boolean | undefined;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  readonly priority?: Priority | undefined;
  /**
   * Asked in the very tick in which the request goes onto its connection. False: nothing is sent and
   * RetryableError FERRY-L001 is thrown. This is what keeps a process that was stopped for longer than its Lease from writing.
   */
  readonly permit?: (() => boolean) | undefined;
}

export type WriteResult =
  /** Stored; the object as the server answered it. After a delete: undefined, or what waits for its finalizers to be gone. */
  | { readonly kind: "done"; readonly object: KubeObject | undefined }
  /** Create: the name is taken (409 AlreadyExists), and be it by an object that is being deleted. */
  | { readonly kind: "already-exists" }
  /** A precondition does not hold (409 Conflict). */
  | { readonly kind: "conflict" }
  /** The object does not exist; for a create: its namespace does not. */
  | { readonly kind: "not-found" }
  /** The namespace is being deleted (403 with cause NamespaceTerminating). */
  | { readonly kind: "terminating"; readonly message: string }
  /**
   * The server finds the object invalid (422, 400); `message` is the server's and may quote the object. `fields` are the paths
   * that it complains of, as far as it names any; they never hold a value.
   */
  | { readonly kind: "invalid"; readonly message: string; readonly fields?: readonly string[] };

export interface KubeApi {
  /** What logs and metrics call this cluster (the context's name). */
  readonly cluster: string;
  /**
   * Counts the connections opened so far. While it stays the same, the same server answers:
   * whoever has verified the cluster's identity need not do it again.
   */
  readonly connections: number;
  /** @throws RetryableError FERRY-K008 when a continue token is too old: begin again */
  list(resource: Resource, options: ListOptions, signal: AbortSignal): Promise<KubeList>;
  /**
   * Calls `onEvent` for each event, in order, in the tick in which it was parsed. Resolves when the server ends the
   * watch in good order or `signal` aborts. Bookmarks are always asked for.
   * @throws RetryableError FERRY-K008 (410, also as an ERROR event), FERRY-K009, FERRY-K010, FERRY-K001 …; an error that
   * `onEvent` throws passes through
   */
  watch(
    resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Quorum read. undefined only when the server answered with a `Status` NotFound for this very name. */
  get(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
    options?: GetOptions,
  ): Promise<KubeObject | undefined>;
  create(resource: Resource, object: KubeObject, options: WriteOptions): Promise<WriteResult>;
  /** JSON merge patch (a removal is an explicit null), applied only if `preconditions` hold. */
  patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult>;
  /** PUT; the object carries its resourceVersion. */
  replace(resource: Resource, object: KubeObject, options: WriteOptions): Promise<WriteResult>;
  /** Background propagation. */
  delete(
    resource: Resource,
    ref: ObjectRef,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult>;
}
