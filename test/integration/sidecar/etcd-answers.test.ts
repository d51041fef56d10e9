/** Answers that no etcd gives: of something in between, or of a connection that goes down while an answer comes. */
import { once } from "node:events";
import http2, {
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Etcd, WatchedEvent } from "../../../sidecar/etcd/etcd.js";
import { Writer } from "../../../sidecar/etcd/protobuf-writer.js";
import { openRealEtcd } from "../../harness/open-etcd.js";

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const HEADER = new Writer()
  .message(1, (header) => header.int(1, 5n).int(2, 6n).int(3, 7n))
  .finish();
/** gRPC's own five bytes in front: compressed or not, and the length. */
const MESSAGE = messageOf(HEADER);
const GRPC = { ":status": 200, "content-type": "application/grpc" };

function messageOf(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, content.length]), content]);
}

/** A body, and then a status. */
function framed(
  body: Buffer,
  trailers: Readonly<Record<string, string>> = { "grpc-status": "0" },
): Answer {
  return (stream) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(body);
  };
}

const statusAlone =
  (code: number): Answer =>
  (stream) =>
    stream.respond({ ...GRPC, "grpc-status": String(code) }, { endStream: true });
const httpStatus =
  (code: number): Answer =>
  (stream) => {
    stream.respond({ ":status": code, "content-type": "text/html" });
    stream.end("<html>");
  };
const reset =
  (code: number): Answer =>
  (stream) =>
    stream.close(code);
const changed = (at: number, byte: number): Buffer => {
  const bytes = Buffer.from(MESSAGE);
  bytes[at] = byte;
  return bytes;
};

describe("an etcd behind something that answers in its place", () => {
  const server = http2.createServer();
  const sessions = new Set<ServerHttp2Session>();
  let answer: Answer = framed(MESSAGE);
  let asked = 0;
  let endpoint: string;
  let etcd: Etcd;

  beforeAll(async () => {
    server.on("session", (session) => {
      sessions.add(session);
      session.on("error", () => {}); // of a connection that the test broke
    });
    server.on("stream", (stream, headers) => {
      asked += 1;
      stream.on("error", () => {});
      stream.resume();
      answer(stream, headers);
    });
    await once(server.listen(0, "::1"), "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    endpoint = `http://[::1]:${address.port}`;
    etcd = await openRealEtcd(endpoint);
  });
  afterAll(async () => {
    await etcd.close();
    for (const session of sessions) session.destroy();
    server.close();
  });

  /** What became of a read and of a write, and how often the server was asked. */
  const outcomes = async (): Promise<readonly unknown[]> => {
    const { signal } = new AbortController();
    asked = 0;
    const put = { kind: "put", key: "a", value: Buffer.from("b") } as const;
    const calls = [
      () => etcd.range({ key: "a" }, { signal }),
      () => etcd.txn({ compare: [], then: [put], otherwise: [] }, { signal }),
    ];
    const found: unknown[] = [];
    for (const call of calls) {
      const done = call().then(({ header }) => header.revision);
      found.push(await done.catch((error: unknown) => Object(error).kind ?? error));
    }
    return [...found, asked];
  };

  it("is understood at an IPv6 address, and where an answer comes byte by byte", async () => {
    answer = (stream) => {
      stream.respond(GRPC, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      for (const byte of MESSAGE) stream.write(Buffer.from([byte]));
      stream.end();
    };

    expect(await outcomes()).toEqual([7n, 7n, 2]);
  });

  it.each<readonly [string, Answer]>([
    ["a status without a message", statusAlone(0)],
    ["a message that is cut off before a good status", framed(MESSAGE.subarray(0, -2))],
    ["a message that is no message of etcd", framed(changed(5, 0xff))],
    ["a message that claims to be compressed", framed(changed(0, 1))],
    ["a message without a status", (stream) => (stream.respond(GRPC), stream.end(MESSAGE))],
    ["a status that is none", framed(MESSAGE, { "grpc-status": "abc" })],
    ["a page that says not found", httpStatus(404)],
    ["a page that says bad gateway", httpStatus(502)],
    ["a stream that is reset", reset(http2.constants.NGHTTP2_INTERNAL_ERROR)],
    ["a connection that is closed", (stream) => stream.session?.destroy()],
  ])("leaves open what became of a write, and of nothing else, by %s", async (_, given) => {
    answer = given;

    expect(await outcomes()).toEqual(["unavailable", "unknown-outcome", 2]);
  });

  it.each<readonly [string, Answer]>([
    ["that is too large", framed(changed(1, 0xff))],
    ["that is throttled", reset(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)],
  ])("may have done a write whose answer is one %s", async (_, given) => {
    answer = given;

    expect(await outcomes()).toEqual(["exhausted", "unknown-outcome", 2]);
  });

  /** An etcd that calls it a denial when the token of a watch is one of these, as those before etcd#14322 do with old ones. */
  const denying = (denied: readonly string[]): Answer => {
    let logins = 0;
    const token = (): Buffer => new Writer().text(2, `token-${(logins += 1)}`).finish();
    const created = Buffer.concat([HEADER, new Writer().bool(3, true).finish()]);
    const denial = new Writer().bool(4, true).text(6, "etcdserver: permission denied").finish();
    const version = new Writer().text(2, "3.4.13").finish();
    return (stream, headers) => {
      const path = headers[":path"];
      if (path === "/etcdserverpb.Auth/Authenticate") {
        framed(messageOf(token()))(stream, headers);
      } else if (path === "/etcdserverpb.Maintenance/Status") {
        framed(messageOf(Buffer.concat([HEADER, version])))(stream, headers);
      } else {
        const isDenied = denied.includes(String(headers["token"]));
        stream.respond(GRPC);
        stream.write(messageOf(isDenied ? Buffer.concat([created, denial]) : created));
        if (!isDenied) stream.write(messageOf(Buffer.concat([HEADER, EVENT])));
      }
    };
  };
  /** Of revision 7: a key was written. */
  const EVENT = new Writer()
    .message(11, (event) => event.message(2, (kv) => kv.text(1, "k/a").int(3, 7n)))
    .finish();

  it.each<readonly [string, readonly string[], unknown]>([
    ["with a new token where the old one was denied", ["token-1"], ["k/a"]],
    ["not at all where a new one is denied too", ["token-1", "token-2"], "permission"],
  ])("is watched %s", async (_, denied, outcome) => {
    answer = denying(denied);
    const user = { name: "mirror", password: async () => "secret" };
    const guarded = await openRealEtcd(endpoint, { user });
    const over = new AbortController();
    const range = { key: "k/", rangeEnd: "k0" };

    const watch = guarded.watch({ range, from: 1n, signal: over.signal });
    const seen = await watch[Symbol.asyncIterator]()
      .next()
      .then(({ value }) => value.events.map(({ kv }: WatchedEvent) => kv.key))
      .catch((error: unknown) => Object(error).kind);

    over.abort();
    await guarded.close();
    expect(seen).toEqual(outcome);
  });
});
