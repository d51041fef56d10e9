/** The hand-written encoding of sidecar/etcd against etcd's own definition, as npm etcd3 ships it. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Compare, RangeOptions, TxnOp } from "../../sidecar/etcd/etcd.js";
import type { Writer } from "../../sidecar/etcd/protobuf-writer.js";
import * as requests from "../../sidecar/etcd/requests.js";
import * as responses from "../../sidecar/etcd/responses.js";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const revision = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 60n }), int64);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const key = fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.isWellFormed());
const value = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const range: fc.Arbitrary<RangeOptions> = fc.record({
  key,
  rangeEnd: fc.option(key, { nil: undefined }),
  limit: fc.option(fc.nat(), { nil: undefined }),
  revision: fc.option(revision, { nil: undefined }),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
});
const op: fc.Arbitrary<TxnOp> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value, lease: revision }),
  fc.record({
    kind: fc.constant("delete" as const),
    key,
    rangeEnd: fc.option(key, { nil: undefined }),
  }),
  range.map((options) => ({ kind: "get" as const, ...options })),
);
const compared = {
  key,
  rangeEnd: fc.option(key, { nil: undefined }),
  is: fc.constantFrom("=" as const, "!=" as const, ">" as const, "<" as const),
};
const numbers = ["create", "mod", "version", "lease"] as const;
const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({ ...compared, target: fc.constantFrom(...numbers), value: revision }),
  fc.record({ ...compared, target: fc.constant("value" as const), value }),
);

describe("requests", () => {
  it("of ranges are what etcd reads", () => {
    fc.assert(
      fc.property(range, (options) => {
        const read = etcdReads("KV", "Range", requests.rangeRequest(options));

        expect(read).toMatchObject(rangeRead(options));
      }),
    );
  });

  it("of transactions are what etcd reads", () => {
    const ops = fc.array(op, { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(compare, { maxLength: 5 }), ops, ops, (compares, then, otherwise) => {
        const txn = { compare: compares, then, otherwise };

        const read = etcdReads("KV", "Txn", requests.txnRequest(txn));

        expect(read).toMatchObject({
          compare: compares.map(compareRead),
          success: then.map(opRead),
          failure: otherwise.map(opRead),
        });
      }),
    );
  });

  it("of watches, leases, compaction and users are what etcd reads", () => {
    fc.assert(
      fc.property(key, revision, fc.nat(), (text, number, seconds) => {
        const create = requests.watchCreateRequest({ key: text, rangeEnd: text }, number);
        const longs = { ID: String(number) };

        expect(etcdReads("Watch", "Watch", create)).toMatchObject({
          request_union: "create_request",
          create_request: {
            key: Buffer.from(text),
            range_end: Buffer.from(text),
            start_revision: String(number),
            progress_notify: true,
            fragment: true,
            prev_kv: false,
          },
        });
        expect(etcdReads("Watch", "Watch", requests.watchProgressRequest())).toMatchObject({
          request_union: "progress_request",
        });
        const grant = etcdReads("Lease", "LeaseGrant", requests.leaseGrantRequest(seconds));
        expect(grant).toEqual({ TTL: String(seconds), ID: "0" });
        const lease = requests.leaseRequest(number);
        expect(etcdReads("Lease", "LeaseRevoke", lease)).toEqual(longs);
        expect(etcdReads("Lease", "LeaseKeepAlive", lease)).toEqual(longs);
        const compact = etcdReads("KV", "Compact", requests.compactionRequest(number));
        expect(compact).toMatchObject({ revision: String(number), physical: false });
        const user = etcdReads("Auth", "Authenticate", requests.authenticateRequest(text, "p"));
        expect(user).toEqual({ name: text, password: "p" });
      }),
    );
  });
});

describe("responses", () => {
  const header = fc.record({ clusterId: uint64, memberId: uint64, revision });
  const kv = fc.record({
    key,
    value,
    createRevision: revision,
    modRevision: revision,
    version: revision,
    lease: int64,
  });
  const none = (): void => {};

  it("of ranges are read as etcd wrote them", () => {
    fc.assert(
      fc.property(header, fc.array(kv), fc.boolean(), revision, (head, kvs, more, count) => {
        const message = { header: headerOf(head), kvs: kvs.map(kvOf), more, count: String(count) };

        const read = responses.rangeResponse(etcdWrites("KV", "Range", message), none);

        expect(read).toEqual({ header: head, kvs, more, count });
      }),
    );
  });

  it("of watches are read as etcd wrote them", () => {
    const event = fc.record({ kind: fc.constantFrom("put" as const, "delete" as const), kv });
    const flags = fc.record({
      created: fc.boolean(),
      canceled: fc.boolean(),
      fragment: fc.boolean(),
    });
    fc.assert(
      fc.property(
        header,
        fc.array(event),
        flags,
        revision,
        key,
        (head, events, set, at, reason) => {
          const message = {
            ...set,
            header: headerOf(head),
            watch_id: "-1",
            compact_revision: String(at),
            cancel_reason: reason,
            events: events.map((one) => ({
              type: one.kind === "put" ? "Put" : "Delete",
              kv: kvOf(one.kv),
              prev_kv: kvOf(one.kv),
            })),
          };

          const read = responses.watchResponse(etcdWrites("Watch", "Watch", message), none);

          expect(read).toEqual({
            ...set,
            header: head,
            compactRevision: at,
            cancelReason: reason,
            hadEvents: events.length > 0,
            events,
          });
        },
      ),
    );
  });

  it("of transactions are read as etcd wrote them", () => {
    fc.assert(
      fc.property(header, fc.array(kv), revision, (head, kvs, deleted) => {
        const message = {
          header: headerOf(head),
          succeeded: true,
          responses: [
            { response_put: { header: headerOf(head) } },
            { response_delete_range: { deleted: String(deleted) } },
            { response_range: { kvs: kvs.map(kvOf), more: true, count: "9" } },
          ],
        };

        const read = responses.txnResponse(etcdWrites("KV", "Txn", message), none);

        expect(read).toEqual({
          header: head,
          succeeded: true,
          results: [{ kind: "put" }, { kind: "delete", deleted }, { kind: "get", kvs, more: true }],
        });
      }),
    );
  });

  it("pass over and count keys that are no UTF-8", () => {
    let odd = 0;
    const kvs = [{ key: Buffer.from([0xff]) }, { key: Buffer.from("even") }];

    const read = responses.rangeResponse(etcdWrites("KV", "Range", { kvs }), () => odd++);

    expect([read.kvs.map((one) => one.key), odd]).toEqual([["even"], 1]);
  });

  it("that are cut off or garbage are refused or read, and never loop or crash", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          responses.watchResponse(Buffer.from(bytes), none);
        } catch (error) {
          expect(error).toMatchObject({ name: "MalformedMessage" });
        }
      }),
    );
  });
});

interface Method {
  readonly requestDeserialize: (bytes: Buffer) => object;
  readonly responseSerialize: (message: object) => Buffer;
}

const DEFINITION = load();

/** proto-loader and the .proto files, both as etcd3 has them. */
function load(): Readonly<Record<string, Readonly<Record<string, Method>>>> {
  const own = createRequire(import.meta.url).resolve("etcd3");
  const { loadSync } = createRequire(own)("@grpc/proto-loader") as {
    loadSync(path: string, options: object): Record<string, Record<string, Method>>;
  };
  return loadSync(join(dirname(own), "..", "proto", "rpc.proto"), {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
}

function methodOf(service: string, method: string): Method {
  const found = DEFINITION[`etcdserverpb.${service}`]?.[method];
  if (found === undefined) throw new Error(`etcd3 has no ${service}/${method}`);
  return found;
}

function etcdReads(service: string, method: string, request: Writer): object {
  return methodOf(service, method).requestDeserialize(request.finish());
}

function etcdWrites(service: string, method: string, message: object): Buffer {
  return methodOf(service, method).responseSerialize(message);
}

function rangeRead(options: RangeOptions): object {
  return {
    key: Buffer.from(options.key),
    range_end: Buffer.from(options.rangeEnd ?? ""),
    limit: String(options.limit ?? 0),
    revision: String(options.revision ?? 0n),
    keys_only: options.keysOnly ?? false,
    count_only: options.countOnly ?? false,
    serializable: false,
  };
}

function compareRead({ key: text, rangeEnd, target, is, value: number }: Compare): object {
  const results = { "=": "Equal", "!=": "NotEqual", ">": "Greater", "<": "Less" } as const;
  const targets = {
    ...{ create: "Create", mod: "Mod", version: "Version", lease: "Lease", value: "Value" },
  } as const;
  const fields = {
    create: "create_revision",
    mod: "mod_revision",
    version: "version",
    lease: "lease",
    value: "value",
  } as const;
  return {
    key: Buffer.from(text),
    range_end: Buffer.from(rangeEnd ?? ""),
    result: results[is],
    target: targets[target],
    target_union: fields[target],
    [fields[target]]: typeof number === "bigint" ? String(number) : number,
  };
}

function opRead(one: TxnOp): object {
  switch (one.kind) {
    case "put": {
      const put = { key: Buffer.from(one.key), value: one.value, lease: String(one.lease ?? 0n) };
      return { request: "request_put", request_put: put };
    }
    case "delete": {
      const range_end = Buffer.from(one.rangeEnd ?? "");
      const request_delete_range = { key: Buffer.from(one.key), range_end, prev_kv: false };
      return { request: "request_delete_range", request_delete_range };
    }
    case "get":
      return { request: "request_range", request_range: rangeRead(one) };
  }
}

interface Header {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: bigint;
}

function headerOf(header: Header): object {
  return {
    cluster_id: String(header.clusterId),
    member_id: String(header.memberId),
    revision: String(header.revision),
    raft_term: "3",
  };
}

interface Kv {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly version: bigint;
  readonly lease: bigint;
}

function kvOf(kv: Kv): object {
  return {
    key: Buffer.from(kv.key),
    value: kv.value,
    create_revision: String(kv.createRevision),
    mod_revision: String(kv.modRevision),
    version: String(kv.version),
    lease: String(kv.lease),
  };
}
