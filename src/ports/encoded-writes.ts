/**
 * Writes of objects that their writer has encoded itself. KubeApi's own writes are JSON; whoever holds an object as the bytes
 * in which an API server stored it can hand these over as they are, without a schema, and nothing that he does not know is lost.
 */
import type { Resource, WriteOptions, WriteResult } from "./kube-api.js";

/** `application/vnd.kubernetes.protobuf` is `k8s\0` and a runtime.Unknown: what etcd holds of a built-in kind. */
export type ObjectEncoding = "application/json" | "application/vnd.kubernetes.protobuf";

/** A whole object. Name and namespace are those in its bytes. */
export interface EncodedObject {
  /** undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly encoding: ObjectEncoding;
  readonly bytes: Buffer;
}

export interface ReplaceOptions extends WriteOptions {
  /** The answer is the object as it would be, and nothing is stored. Admission is asked, and conflicts are told. */
  readonly dryRun?: boolean | undefined;
}

export interface EncodedWrites {
  /** POST: AlreadyExists decides who has the name. Outcomes and errors as of KubeApi.create. */
  createEncoded(
    resource: Resource,
    object: EncodedObject,
    options: WriteOptions,
  ): Promise<WriteResult>;
  /** PUT; the bytes carry uid and resourceVersion, and another object under the name is a conflict. As KubeApi.replace. */
  replaceEncoded(
    resource: Resource,
    object: EncodedObject,
    options: ReplaceOptions,
  ): Promise<WriteResult>;
}
