/**
 * What a failed call means, by gRPC status and etcd's own words, in one table.
 *
 * Source of the words: etcd api/v3rpc/rpctypes/error.go (3.4 to 3.6), and for those about connections @grpc/grpc-js.
 */
import { status } from "@grpc/grpc-js";
import { printable } from "../../src/ports/printable.js";
import { EtcdError, type EtcdErrorKind } from "./etcd.js";

/** How gRPC tells of a failure. */
export interface GrpcFailure {
  readonly code: number;
  readonly details: string;
}

/** Whether a call could have changed something: then an answer that did not come leaves the outcome open. */
export type Effect = "read" | "write";

/** First match counts. A word decides before a code does: etcd uses one code for many things. */
const BY_WORDS: readonly (readonly [words: string, kind: EtcdErrorKind])[] = [
  ["database space exceeded", "no-space"],
  ["too many operations in txn request", "too-many-ops"],
  ["request is too large", "too-large"],
  // The server's gRPC layer, for what is larger than its limit and half a MiB: it never came to etcd itself.
  ["grpc: received message larger than max", "too-large"],
  ["required revision has been compacted", "compacted"],
  ["required revision is a future revision", "future-revision"],
  ["requested lease not found", "lease-not-found"],
  ["permission denied", "permission"],
  ["invalid auth token", "auth"],
  ["revision of auth store is old", "auth"],
  ["invalid user ID or password", "auth"],
  ["user name is empty", "auth"],
  ["authentication is not enabled", "auth"],
  ["unsupported transaction", "unsupported"], // kine
  // Refused before anything was proposed to the cluster.
  ["too many requests", "unavailable"],
  ["etcdserver: no leader", "unavailable"],
  ["etcdserver: not capable", "unavailable"],
  ["rpc not supported for learner", "unavailable"],
];

/** Codes of requests that were looked at and refused, where the words say nothing. */
const BY_CODE: ReadonlyMap<number, EtcdErrorKind> = new Map([
  [status.INVALID_ARGUMENT, "invalid"],
  [status.NOT_FOUND, "invalid"],
  [status.ALREADY_EXISTS, "invalid"],
  [status.FAILED_PRECONDITION, "invalid"],
  [status.OUT_OF_RANGE, "invalid"],
  [status.PERMISSION_DENIED, "permission"],
  [status.UNAUTHENTICATED, "auth"],
  [status.UNIMPLEMENTED, "unsupported"],
]);

/** What grpc-js says when something in between answered in etcd's place, with a code that it made of the HTTP status. */
const NOT_OF_ETCD = "Received HTTP status code";

/** The request never left: grpc-js had no connection to send it on. */
const NOT_SENT = ["No connection established", "Name resolution failed", "Waiting for LB pick"];

export function kindOfFailure({ code, details }: GrpcFailure, effect: Effect): EtcdErrorKind {
  const known = BY_WORDS.find(([words]) => details.includes(words));
  if (known !== undefined) return known[1];
  const refused = details.includes(NOT_OF_ETCD) ? undefined : BY_CODE.get(code);
  if (refused !== undefined) return refused;
  // An answer that was too large to be taken, or a stream that somebody throttled: a write may be done by then.
  if (code === status.RESOURCE_EXHAUSTED && effect === "read") return "exhausted";
  // A connection that broke, a deadline, a server that stopped, a leader that changed: it was under way.
  const sent = !NOT_SENT.some((words) => details.includes(words));
  return sent && effect === "write" ? "unknown-outcome" : "unavailable";
}

/** Words of the server only, made printable: etcd's messages never repeat a request. */
export function etcdError(failure: GrpcFailure, effect: Effect, endpoint: string): EtcdError {
  const text = `${printable(failure.details)} (${endpoint})`;
  return new EtcdError(kindOfFailure(failure, effect), text, { cause: new GrpcStatus(failure) });
}

/** The cause of an EtcdError: gRPC's status code, without the request that gRPC's own error would drag along. */
class GrpcStatus extends Error {
  override readonly name = "GrpcStatus";
  readonly code: number;
  constructor({ code }: GrpcFailure) {
    super(status[code] ?? `status ${code}`);
    this.code = code;
  }
}

/** A new token may help: this one is too old, or made before users or roles changed. */
export function wantsNewToken({ details }: GrpcFailure): boolean {
  return (
    details.includes("invalid auth token") || details.includes("revision of auth store is old")
  );
}

/** The member replicates but answers nobody yet. */
export function isLearnerRefusal({ details }: GrpcFailure): boolean {
  return details.includes("rpc not supported for learner");
}

/** What gRPC rejects with, read without trust in its shape. */
export function grpcFailure(error: unknown): GrpcFailure {
  if (!(error instanceof Error)) return { code: status.UNKNOWN, details: String(error) };
  const code = "code" in error && typeof error.code === "number" ? error.code : status.UNKNOWN;
  const details =
    "details" in error && typeof error.details === "string" ? error.details : error.message;
  return { code, details };
}
