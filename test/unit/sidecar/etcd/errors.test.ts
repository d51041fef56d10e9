import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { etcdError, grpcFailure, kindOfFailure } from "../../../../sidecar/etcd/errors.js";

/** As etcd 3.4 to 3.6 (rpctypes/error.go), grpc-go and grpc-js word them. */
const FAILURES = [
  [status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", "no-space", "no-space"],
  [
    status.INVALID_ARGUMENT,
    "etcdserver: too many operations in txn request",
    "too-many-ops",
    "too-many-ops",
  ],
  [status.INVALID_ARGUMENT, "etcdserver: request is too large", "too-large", "too-large"],
  [
    status.RESOURCE_EXHAUSTED,
    "grpc: received message larger than max (5 vs. 4)",
    "too-large",
    "too-large",
  ],
  [
    status.RESOURCE_EXHAUSTED,
    "Received message larger than max (5 vs 4)",
    "exhausted",
    "unknown-outcome",
  ],
  [
    status.RESOURCE_EXHAUSTED,
    "Bandwidth exhausted or memory limit exceeded",
    "exhausted",
    "unknown-outcome",
  ],
  [status.UNIMPLEMENTED, "Received HTTP status code 404", "unavailable", "unknown-outcome"],
  [status.INTERNAL, "no message received", "unavailable", "unknown-outcome"],
  [status.INTERNAL, "", "unavailable", "unknown-outcome"],
  [
    status.OUT_OF_RANGE,
    "etcdserver: mvcc: required revision has been compacted",
    "compacted",
    "compacted",
  ],
  [
    status.OUT_OF_RANGE,
    "etcdserver: mvcc: required revision is a future revision",
    "future-revision",
    "future-revision",
  ],
  [status.NOT_FOUND, "etcdserver: requested lease not found", "lease-not-found", "lease-not-found"],
  [status.PERMISSION_DENIED, "etcdserver: permission denied", "permission", "permission"],
  [status.UNAUTHENTICATED, "etcdserver: invalid auth token", "auth", "auth"],
  [status.INVALID_ARGUMENT, "etcdserver: revision of auth store is old", "auth", "auth"],
  [status.INVALID_ARGUMENT, "etcdserver: user name is empty", "auth", "auth"],
  [
    status.INVALID_ARGUMENT,
    "etcdserver: authentication failed, invalid user ID or password",
    "auth",
    "auth",
  ],
  [status.UNKNOWN, "unsupported transaction: compare", "unsupported", "unsupported"],
  [status.UNIMPLEMENTED, "unknown service etcdserverpb.KV", "unsupported", "unsupported"],
  [status.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request", "invalid", "invalid"],
  [status.RESOURCE_EXHAUSTED, "etcdserver: too many requests", "unavailable", "unavailable"],
  [status.UNAVAILABLE, "etcdserver: no leader", "unavailable", "unavailable"],
  [status.UNAVAILABLE, "etcdserver: rpc not supported for learner", "unavailable", "unavailable"],
  [
    status.UNAVAILABLE,
    "No connection established. Last error: connect ECONNREFUSED",
    "unavailable",
    "unavailable",
  ],
  [
    status.DEADLINE_EXCEEDED,
    "Deadline exceeded after 2.000s,Waiting for LB pick",
    "unavailable",
    "unavailable",
  ],
  [
    status.DEADLINE_EXCEEDED,
    "Deadline exceeded after 2.000s,remote_addr=1",
    "unavailable",
    "unknown-outcome",
  ],
  [status.UNAVAILABLE, "etcdserver: request timed out", "unavailable", "unknown-outcome"],
  [status.UNAVAILABLE, "etcdserver: leader changed", "unavailable", "unknown-outcome"],
  [status.UNAVAILABLE, "etcdserver: server stopped", "unavailable", "unknown-outcome"],
  [status.UNAVAILABLE, "Connection dropped", "unavailable", "unknown-outcome"],
  [status.CANCELLED, "Call cancelled", "unavailable", "unknown-outcome"],
  [
    status.INTERNAL,
    "Received RST_STREAM with code 2 (Internal server error)",
    "unavailable",
    "unknown-outcome",
  ],
] as const;

describe("a failed call", () => {
  it.each(FAILURES)(
    "with %i, %j, means %s to a read and %s to a write",
    (code, details, read, write) => {
      expect(kindOfFailure({ code, details }, "read")).toBe(read);
      expect(kindOfFailure({ code, details }, "write")).toBe(write);
    },
  );

  it("is told in the server's words, made printable, with the endpoint", () => {
    const failure = { code: status.INVALID_ARGUMENT, details: "bad\n\u001b[31mkey" };

    const error = etcdError(failure, "write", "etcd-1:2379");

    expect(error.message).toBe("bad\\n\\u001b[31mkey (etcd-1:2379)");
    expect(error.cause).toMatchObject({ name: "GrpcStatus", code: status.INVALID_ARGUMENT });
  });

  it("is read from whatever was thrown", () => {
    const thrown = Object.assign(new Error("14 UNAVAILABLE: gone"), { code: 14, details: "gone" });

    expect(grpcFailure(thrown)).toEqual({ code: 14, details: "gone" });
    expect(grpcFailure(new Error("odd"))).toEqual({ code: status.UNKNOWN, details: "odd" });
    expect(grpcFailure("text")).toEqual({ code: status.UNKNOWN, details: "text" });
  });
});
