/** The verbs of the Kubernetes API over the transport. */

import type { EncodedObject, EncodedWrites, ReplaceOptions } from "../ports/encoded-writes.js";
import { TerminalError } from "../ports/errors.js";
import type {
  GetOptions,
  KubeApi,
  KubeList,
  KubeObject,
  ListOptions,
  ObjectRef,
  Preconditions,
  Resource,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteResult,
} from "../ports/kube-api.js";
import type { Call } from "./call.js";
import type { Connections } from "./connections.js";
import { isRecord } from "./json.js";
import { parseListBody, parseObjectBody } from "./objects.js";
import { collectionPath, objectPath, withQuery } from "./resource-path.js";
import { failureOf, statusOf, unexpected } from "./status.js";
import type { Transport } from "./transport.js";
import { writeResult } from "./write-result.js";

const JSON_TYPE = "application/json";
const METADATA_TYPE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST_TYPE = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const MERGE_PATCH_TYPE = "application/merge-patch+json";

/** One cluster's API. What its methods promise stands at KubeApi and EncodedWrites. */
export class KubeClient implements KubeApi, EncodedWrites {
  constructor(
    readonly cluster: string,
    private readonly transport: Transport,
    private readonly opened: Pick<Connections, "opened">,
  ) {}

  get connections(): number {
    return this.opened.opened;
  }

  async list(resource: Resource, options: ListOptions, signal: AbortSignal): Promise<KubeList> {
    const path = collectionPath(resource, options.namespace);
    const target = withQuery(path, {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: options.limit,
      continue: options.continueToken,
    });
    const accept = options.metadataOnly === true ? METADATA_LIST_TYPE : JSON_TYPE;
    const call = read("list", { path, target, accept }, signal);
    const answer = await this.transport.ask(call);
    if (answer.status !== 200) {
      throw failureOf(this.transport.where(call), answer);
    }
    const list = parseListBody(answer.body);
    if (list === undefined) {
      throw unexpected(this.transport.where(call), "the answer is not a list");
    }
    return list;
  }

  async watch(
    resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const path = collectionPath(resource, options.namespace);
    const target = withQuery(path, {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    });
    const accept = options.metadataOnly === true ? METADATA_TYPE : JSON_TYPE;
    const call = read("watch", { path, target, accept }, signal);
    await this.transport.watch(call, options.stallMs, onEvent);
  }

  async get(
    resource: Resource,
    ref: ObjectRef,
    signal: AbortSignal,
    { fresh }: GetOptions = {},
  ): Promise<KubeObject | undefined> {
    const path = objectPath(resource, ref);
    const call = { ...read("get", { path, target: path, accept: JSON_TYPE }, signal), fresh };
    const answer = await this.transport.ask(call);
    if (answer.status === 200) {
      const object = parseObjectBody(answer.body);
      if (object?.metadata.name !== ref.name) {
        throw unexpected(this.transport.where(call), "the answer is not the object asked for");
      }
      return object;
    }
    if (answer.status !== 404) {
      throw failureOf(this.transport.where(call), answer);
    }
    const status = statusOf(answer);
    if (status?.reason !== "NotFound" || status.name !== ref.name) {
      throw unexpected(this.transport.where(call), "404, but not for the object asked for");
    }
    return undefined;
  }

  async create(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<WriteResult> {
    const { name, namespace } = object.metadata;
    // The path of the object checks name and namespace; the POST itself goes to the collection.
    objectPath(resource, { name, namespace });
    const path = collectionPath(resource, namespace);
    return this.#write("create", "POST", { path, body: object, name, namespace }, options);
  }

  async patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult> {
    const path = objectPath(resource, ref);
    const metadata = isRecord(patch["metadata"]) ? patch["metadata"] : {};
    const body = { ...patch, metadata: { ...metadata, ...given(preconditions) } };
    return this.#write("patch", "PATCH", { path, body, name: ref.name }, options);
  }

  async replace(
    resource: Resource,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<WriteResult> {
    const { name, namespace, resourceVersion } = object.metadata;
    const path = objectPath(resource, { name, namespace });
    if (resourceVersion === undefined || resourceVersion === "") {
      throw new TerminalError("FERRY-K011", `replace ${path}: the object has no resource version`);
    }
    return this.#write("replace", "PUT", { path, body: object, name }, options);
  }

  async createEncoded(
    resource: Resource,
    { name, namespace, encoding, bytes }: EncodedObject,
    options: WriteOptions,
  ): Promise<WriteResult> {
    objectPath(resource, { name, namespace });
    const path = collectionPath(resource, namespace);
    const what = { path, body: bytes, contentType: encoding, name, namespace };
    return this.#write("create", "POST", what, options);
  }

  async replaceEncoded(
    resource: Resource,
    { name, namespace, encoding, bytes }: EncodedObject,
    { dryRun, ...options }: ReplaceOptions,
  ): Promise<WriteResult> {
    const path = objectPath(resource, { name, namespace });
    const target = withQuery(path, { dryRun: dryRun === true ? "All" : undefined });
    const what = { path, target, body: bytes, contentType: encoding, name };
    return this.#write("replace", "PUT", what, options);
  }

  async delete(
    resource: Resource,
    ref: ObjectRef,
    preconditions: Preconditions,
    options: WriteOptions,
  ): Promise<WriteResult> {
    const path = objectPath(resource, ref);
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: given(preconditions),
      propagationPolicy: "Background",
    };
    return this.#write("delete", "DELETE", { path, body, name: ref.name }, options);
  }

  async #write(
    verb: "create" | "patch" | "replace" | "delete",
    method: "POST" | "PATCH" | "PUT" | "DELETE",
    what: {
      readonly path: string;
      /** The path with a query; undefined: without one. */
      readonly target?: string;
      readonly body: unknown;
      readonly contentType?: string;
      readonly name: string;
      readonly namespace?: string | undefined;
    },
    options: WriteOptions,
  ): Promise<WriteResult> {
    const call: Call = {
      verb,
      method,
      path: what.path,
      target: what.target ?? what.path,
      accept: JSON_TYPE,
      contentType: what.contentType ?? (verb === "patch" ? MERGE_PATCH_TYPE : JSON_TYPE),
      body: what.body,
      signal: options.signal,
      priority: options.priority ?? "live",
      permit: options.permit,
    };
    const answer = await this.transport.ask(call);
    return writeResult(verb, answer, { ...what, where: this.transport.where(call) });
  }
}

function read(
  verb: "list" | "watch" | "get",
  to: Pick<Call, "path" | "target" | "accept">,
  signal: AbortSignal,
): Call {
  return { verb, method: "GET", ...to, signal, priority: "live" };
}

/** Only what is given: an explicit null or undefined would be another request. */
function given(preconditions: Preconditions): Readonly<Record<string, string>> {
  const { uid, resourceVersion } = preconditions;
  return resourceVersion === undefined ? { uid } : { uid, resourceVersion };
}
