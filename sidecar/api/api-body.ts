/**
 * A stored object as the body of a request. An API server takes the very bytes that it stores: protobuf with its envelope, or
 * JSON. So no schema is needed, and fields that are newer than this program travel; only what another server has to give is cut out.
 */
import type { ObjectEncoding } from "../../src/ports/encoded-writes.js";
import { wantedFinalizers } from "../transform/finalizers.js";
import { edit } from "../wire/edit.js";
import { METADATA, openEnvelope, PROTOBUF_MAGIC, UNKNOWN } from "../wire/envelope.js";
import { memberOf, objectAt } from "../wire/json-text.js";
import { goJson, rewriteObject } from "../wire/json-write.js";
import { META } from "../wire/object-meta.js";
import { bytesField, splice } from "../wire/protobuf.js";
import type { StoredObject } from "../wire/stored-object.js";
import type { ApiWanted } from "./api-writer.js";
import type { Mark } from "./mark.js";
import { jsonServiceSpec, protobufServiceSpec, type ServiceShape } from "./service-spec.js";

/** The destination's object, which the body replaces. */
export interface Replaced {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
}

export interface ApiBody {
  readonly encoding: ObjectEncoding;
  readonly bytes: Buffer;
}

interface BodyInput {
  readonly wanted: Pick<ApiWanted, "object" | "kind" | "owners">;
  readonly mark: Mark;
  /** undefined: a new object. */
  readonly replaced: Replaced | undefined;
  /** Of Services. */
  readonly shape: ServiceShape | undefined;
}

const EMPTY = Buffer.alloc(0);

/** Metadata that only the server which stores the object may give, by the field's name in JSON. */
const SERVERS = [
  "selfLink",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "clusterName",
  "initializers",
] as const;

/** @throws Malformed */
export function apiBody(input: BodyInput): ApiBody {
  const { wanted, replaced } = input;
  const { object, kind } = wanted;
  const local = kind.localAnnotations.map((name) => [name, replaced?.annotations[name]]);
  const own = wantedFinalizers(object.meta.finalizers, []);
  const bytes = edit(
    object,
    {
      ownerReferences: wanted.owners,
      // The destination's own controllers wait for theirs, a load balancer's for one; the source's have none there.
      finalizers: [...new Set([...(replaced?.finalizers ?? []), ...own])],
      labels: input.mark.labels,
      annotations: { ...Object.fromEntries(local), ...input.mark.annotations },
      status: { kind: "drop" },
    },
    kind,
  );
  switch (object.encoding) {
    case "protobuf":
      return {
        encoding: "application/vnd.kubernetes.protobuf",
        bytes: protobufBody({ ...object, bytes }, input),
      };
    case "json":
      return { encoding: "application/json", bytes: jsonBody({ ...object, bytes }, input) };
  }
}

function protobufBody(edited: StoredObject, { replaced, shape }: BodyInput): Buffer {
  const { bytes } = edited;
  const { unknown, raw, metadata } = openEnvelope(bytes);
  const meta = new Map<number, Buffer>(SERVERS.map((name) => [META[name], EMPTY]))
    .set(META.uid, replaced === undefined ? EMPTY : bytesField(META.uid, replaced.uid))
    .set(
      META.resourceVersion,
      replaced === undefined ? EMPTY : bytesField(META.resourceVersion, replaced.resourceVersion),
    );
  const spliced = splice(bytes, metadata ?? { start: 0, end: 0 }, meta);
  const spec = shape === undefined ? [] : protobufServiceSpec(edited, shape);
  const changes = new Map([[METADATA, bytesField(METADATA, spliced)], ...spec]);
  const newRaw = bytesField(UNKNOWN.raw, splice(bytes, raw, changes));
  const parts = splice(bytes, unknown, new Map([[UNKNOWN.raw, newRaw]]));
  return Buffer.concat([PROTOBUF_MAGIC, ...parts]);
}

function jsonBody(edited: StoredObject, { replaced, shape }: BodyInput): Buffer {
  const { bytes } = edited;
  const root = objectAt(bytes, 0);
  const changes = new Map<string, Buffer | undefined>();
  const metadata = memberOf(root, "metadata");
  if (metadata !== undefined) {
    const meta = new Map<string, Buffer | undefined>(SERVERS.map((name) => [name, undefined]))
      .set("uid", replaced && Buffer.from(goJson(replaced.uid)))
      .set("resourceVersion", replaced && Buffer.from(goJson(replaced.resourceVersion)));
    changes.set("metadata", rewriteObject(bytes, objectAt(bytes, metadata.valueStart), meta));
  }
  const spec = shape === undefined ? undefined : jsonServiceSpec(edited, shape);
  if (spec !== undefined) changes.set("spec", spec);
  return rewriteObject(bytes, root, changes);
}
