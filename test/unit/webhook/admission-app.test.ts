import { describe, expect, it } from "vitest";
import type { Answer, Lateness } from "../../../webhook/admission-handler.js";
import { bodyOf, requestOf, REVIEW_UID } from "../../fixtures/review.js";
import { service } from "../../fixtures/service.js";
import { WebhookBed, type Answered } from "../../fixtures/webhook-bed.js";
import { waitFor } from "../../harness/wait-for.js";

/** Handshakes take their time while other tests use the same cores. */
const TLS_SERVER = { timeout: 20_000 };

const web = service("shop/web").ferried();
const CREATE = bodyOf(requestOf(undefined, web));
const TEXT = CREATE.toString();
const VALIDATE = { path: "/validate?timeout=2s", body: CREATE };

interface Review {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly warnings?: string[];
  };
}
const responseOf = ({ body }: Answered) => (body as Review).response;
const reviews = (bed: WebhookBed) => bed.metrics.of("svc_ferry_admission_reviews_total");

describe("the admission routes", TLS_SERVER, () => {
  it("ask the entry's own handler, and answer what it says", async () => {
    await using bed = await new WebhookBed({
      mutate: () => ({
        kind: "patched",
        patch: [{ op: "add", path: "/metadata/annotations", value: {} }],
      }),
      validate: ({ name }) => ({ kind: "refused", code: "name-taken", message: name, field: "f" }),
    }).start();

    const mutated = await bed.send({ path: "/mutate?timeout=2s", body: CREATE });
    const validated = await bed.send(VALIDATE);

    expect([mutated.status, validated.status]).toEqual([200, 200]);
    expect(mutated.headers).toMatchObject({ "content-type": "application/json; charset=utf-8" });
    expect(responseOf(mutated)).toMatchObject({ uid: REVIEW_UID, patchType: "JSONPatch" });
    expect(responseOf(validated)).toMatchObject({
      uid: REVIEW_UID,
      allowed: false,
      status: { code: 403, message: "web" },
    });
    expect(reviews(bed)).toEqual(["mutate patched", "validate refused"]);
    expect(bed.metrics.of("svc_ferry_admission_seconds")).toEqual([
      "mutate patched",
      "validate refused",
    ]);
  });

  it("answer a review of two objects of 1.5 MiB each", async () => {
    const note = "n".repeat(1.5 * 1_024 * 1_024);
    const large = web.annotation("example.com/note", note);
    await using bed = await new WebhookBed().start();

    const answered = await bed.send({ path: "/validate", body: bodyOf(requestOf(large, large)) });

    expect([answered.status, responseOf(answered).allowed]).toEqual([200, true]);
  });

  it("answer requests that come in one piece, in their order", async () => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.raw();
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${CREATE.length}\r\n\r\n`;

    await connection.write(`${head("/mutate")}${TEXT}${head("/validate")}${TEXT}`);

    await waitFor(() => connection.received.split("HTTP/1.1 200 OK").length === 3, {
      what: "two answers",
    });
    expect(reviews(bed)).toEqual(["mutate allowed", "validate allowed"]);
  });

  it("allow with a warning before the API server's time is up, when the handler is late", async () => {
    const asked: Lateness[] = [];
    await using bed = await new WebhookBed({
      validate: (_review, late) => {
        asked.push(late);
        return new Promise(() => undefined);
      },
    }).start();

    const answer = bed.send({ path: "/validate?timeout=1s", body: CREATE });
    await waitFor(() => asked.length === 1, { what: "the handler's call" });
    await bed.clock.advance(500);

    expect(responseOf(await answer)).toEqual({
      uid: REVIEW_UID,
      allowed: true,
      warnings: [
        "svc-ferry could not check this Service now; see its Events for what became of it",
      ],
      auditAnnotations: { outcome: "late" },
    });
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
    expect(reviews(bed)).toEqual(["validate late"]);
    expect(bed.lines("warn")).toEqual(["admission answered without its handler: it was late"]);
  });

  it.each([
    ["mutate", "svc-ferry could not note who made this change; it is synced all the same"],
    [
      "validate",
      "svc-ferry could not check this Service now; see its Events for what became of it",
    ],
  ] as const)("allow with a warning when the handler of /%s fails", async (entry, warning) => {
    const broken = (): never => {
      throw new Error("broken");
    };
    await using bed = await new WebhookBed({ mutate: broken, validate: broken }).start();

    const answered = await bed.send({ path: `/${entry}`, body: CREATE });
    await bed.send({ path: `/${entry}`, body: CREATE });

    expect(answered.status).toBe(200);
    expect(responseOf(answered)).toMatchObject({ allowed: true, warnings: [warning] });
    expect(reviews(bed)).toEqual([`${entry} failed`, `${entry} failed`]);
    expect(bed.logged.filter(([line]) => line.startsWith("error"))).toEqual([
      [
        "error admission answered without its handler: it failed",
        { path: entry, service: "shop/web", operation: "CREATE", err: new Error("broken") },
      ],
    ]);
  });

  it("allow with a warning what cannot be written down", async () => {
    const patch = [{ op: "add", path: "/a", value: 1n as unknown as string }] as const;
    const answers: Answer[] = [{ kind: "patched", patch }];
    await using bed = await new WebhookBed({
      mutate: () => (answers.pop() ?? { kind: "allowed" }) as { kind: "allowed" },
    }).start();

    const answered = await bed.send({ path: "/mutate", body: CREATE });

    expect(responseOf(answered)).toMatchObject({ uid: REVIEW_UID, allowed: true });
    expect(reviews(bed)).toEqual(["mutate failed"]);
  });
});

describe("what is no review", TLS_SERVER, () => {
  it.each([
    ["another path", { path: "/" }, 404, "NotFound", "other"],
    ["another path, with a body", { path: "/metrics", body: CREATE }, 404, "NotFound", "other"],
    ["a path below", { path: "/validate/x", body: CREATE }, 404, "NotFound", "other"],
    ["a path that cannot be read", { path: "/%zz", body: CREATE }, 400, "BadRequest", "other"],
    ["GET", { path: "/mutate", method: "GET" }, 405, "MethodNotAllowed", "mutate"],
    ["PUT", { ...VALIDATE, method: "PUT" }, 405, "MethodNotAllowed", "validate"],
    ["an unknown method", { ...VALIDATE, method: "PURGE" }, 405, "MethodNotAllowed", "validate"],
    [
      "no type",
      { ...VALIDATE, headers: { "content-type": "" } },
      415,
      "UnsupportedMediaType",
      "validate",
    ],
    [
      "another type",
      { ...VALIDATE, headers: { "content-type": "application/yaml" } },
      415,
      "UnsupportedMediaType",
      "validate",
    ],
    [
      "another charset",
      { ...VALIDATE, headers: { "content-type": "application/json; charset=latin1" } },
      415,
      "UnsupportedMediaType",
      "validate",
    ],
    [
      "a compressed body",
      { ...VALIDATE, headers: { "content-encoding": "gzip" } },
      415,
      "UnsupportedMediaType",
      "validate",
    ],
    ["no body", { path: "/validate" }, 400, "BadRequest", "validate"],
    ["no JSON", { path: "/validate", body: "{" }, 400, "BadRequest", "validate"],
    ["no review", { path: "/mutate", body: "[]" }, 400, "BadRequest", "mutate"],
  ])("is rejected with its reason: %s", async (_, sent, status, reason, path) => {
    await using bed = await new WebhookBed().start();

    const answered = await bed.send(sent);

    expect(answered.status).toBe(status);
    expect(answered.headers).toMatchObject({ connection: "close" });
    expect(answered.body).toMatchObject({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason,
      code: status,
      message: expect.stringMatching(/^svc-ferry: .{10}/) as unknown,
    });
    expect(reviews(bed)).toEqual([`${path} rejected`]);
    expect(bed.lines("warn")).toEqual(["request to the webhook rejected"]);
  });

  it.each(["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"'])(
    "is not told by how the type is spelled: %s",
    async (type) => {
      await using bed = await new WebhookBed().start();

      expect((await bed.send({ ...VALIDATE, headers: { "content-type": type } })).status).toBe(200);
    },
  );

  it("is a body that says that it is too long, before it is sent", async () => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.raw();

    await connection.write(
      `POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${7 * 1_024 * 1_024 + 1}\r\n\r\n`,
    );

    await connection.closed;
    expect(connection.received).toMatch(/^HTTP\/1.1 413 /);
    expect(connection.received).toContain("reviews have at most 7340032 bytes");
  });

  it("is a body that turns out to be too long", async () => {
    await using bed = await new WebhookBed({}, { maxBodyBytes: 100 }).start();
    const connection = await bed.raw();
    const chunk = `64\r\n${"x".repeat(100)}\r\n`;

    await connection.write(
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    await connection.write(`${chunk}1\r\nx\r\n`);

    await connection.closed;
    expect(connection.received).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["headers without end", `GET / HTTP/1.1\r\nA: ${"a".repeat(20_000)}`, 431],
    ["another version of HTTP", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ])("is answered even where it is %s", async (_, text, status) => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.raw();

    await connection.write(text);

    await connection.closed;
    expect(connection.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(connection.received.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      kind: "Status",
      code: status,
    });
    expect(reviews(bed)).toEqual(["other rejected"]);
  });
});

describe("clients that do not come to an end", TLS_SERVER, () => {
  const IMPATIENT = { headersMs: 50, requestMs: 100, checkEveryMs: 10 };
  const HEAD =
    "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";

  it.each([
    ["nothing at all", ""],
    ["half a header", "POST /validate HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["half a body", `${HEAD}{"apiVersion":`],
  ])("are answered with 408 and let go after %s", async (_, text) => {
    await using bed = await new WebhookBed({}, IMPATIENT).start();
    const connection = await bed.raw();

    await connection.write(text);

    await connection.closed;
    expect(connection.received).toMatch(/^HTTP\/1.1 408 /);
    expect(reviews(bed)).toEqual(["other rejected"]);
  });

  it("do not keep a connection by sending a header now and then", async () => {
    await using bed = await new WebhookBed({}, IMPATIENT).start();
    const connection = await bed.raw();

    await connection.write("POST /validate HTTP/1.1\r\nHost: x\r\n");
    await waitFor(
      async () => {
        await connection.write("X-Slow: 1\r\n");
        return connection.isClosed;
      },
      { what: "the end of the connection", everyMs: 10 },
    );

    expect(connection.received).toMatch(/^HTTP\/1.1 408 /);
  });

  it("are let go when they never begin with TLS", async () => {
    await using bed = await new WebhookBed({}, { handshakeMs: 50 }).start();
    const connection = await bed.plain();

    await connection.closed;

    expect(bed.metrics.of("svc_ferry_webhook_tls_errors_total")).toEqual([]);
    expect(bed.metrics.lines).toContain("svc_ferry_webhook_tls_errors_total");
  });

  it("disturb nobody when they hang up in the middle of a body", async () => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.raw();
    await connection.write(`${HEAD}{`);

    connection.reset();

    await waitFor(() => reviews(bed).length > 0, { what: "the rejection" });
    expect((await bed.send(VALIDATE)).status).toBe(200);
    expect(reviews(bed)).toEqual(["other rejected", "validate allowed"]);
  });
});
