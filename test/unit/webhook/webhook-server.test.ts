import { X509Certificate } from "node:crypto";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { ServingCertificate } from "../../../src/ports/serving-certificate.js";
import type { Allowed } from "../../../webhook/admission-handler.js";
import { AdmissionReporter } from "../../../webhook/admission-reporter.js";
import { LIMITS } from "../../../webhook/limits.js";
import { WebhookServer } from "../../../webhook/webhook-server.js";
import { SILENT_LOG } from "../../fakes/silent-log.js";
import { VirtualClock } from "../../fakes/virtual-clock.js";
import { bodyOf, requestOf } from "../../fixtures/review.js";
import { RecordedMetrics } from "../../fixtures/recorders.js";
import { service } from "../../fixtures/service.js";
import { servingCertificate, WebhookBed } from "../../fixtures/webhook-bed.js";
import { waitFor } from "../../harness/wait-for.js";

/** Handshakes take their time while other tests use the same cores. */
const TLS_SERVER = { timeout: 20_000 };

const CREATE = bodyOf(requestOf(undefined, service("shop/web").ferried()));
const VALIDATE = { path: "/validate?timeout=2s", body: CREATE };
const serialOf = ({ cert }: ServingCertificate) => new X509Certificate(cert).serialNumber;
const served = (bed: WebhookBed) => bed.metrics.of("svc_ferry_webhook_certificates_total");

const TLS_FAILED =
  "warn TLS connection to the webhook failed; if it lasts, compare caBundle and certificate";

/** The review as bytes, for who writes them by himself. */
const POST = `POST /validate?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${CREATE.length}\r\n\r\n${CREATE.toString()}`;
/** The answer to it from a server that is about to go. */
const LAST_ANSWER = /^HTTP\/1\.1 200 OK\r\n[^]*^connection: close\r\n[^]*"allowed":true/im;

/** Does something in the very turn of the event loop in which a long sleep is over. */
class ClockWithDeed extends VirtualClock {
  deed: () => void = () => undefined;

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await super.sleep(ms, signal);
    if (ms > 0) this.deed();
  }
}

/** A handler that waits until the test lets it answer. */
function gate() {
  const answer = Promise.withResolvers<Allowed>();
  const asked: string[] = [];
  const validate = ({ name }: { readonly name: string }) => {
    asked.push(name);
    return answer.promise;
  };
  return { asked, validate, open: () => answer.resolve({ kind: "allowed" }) };
}

describe("WebhookServer: certificates", TLS_SERVER, () => {
  it("waits for one that is of use, and says so", async () => {
    await using bed = new WebhookBed();
    const [one, other] = [servingCertificate(), servingCertificate()];
    const started = bed.server.start(new AbortController().signal);

    bed.certificates.set({ cert: one.cert, key: other.key });
    const before = bed.server.readiness();
    bed.certificates.set(one);
    await started;

    expect(before).toEqual({
      ok: false,
      waitingFor: ["the webhook is waiting for a certificate"],
    });
    expect(bed.server.readiness()).toEqual({ ok: true, waitingFor: [] });
    expect(served(bed)).toEqual(["refused", "served"]);
  });

  it("does not wait any longer when the process stops", async () => {
    const bed = new WebhookBed();
    const stopping = new AbortController();

    const started = bed.server.start(stopping.signal);
    stopping.abort();

    expect(await started).toBeUndefined();
    await bed.server.stop();
    expect(bed.certificates.listeners).toBe(0);
    expect(await new WebhookBed().server.start(AbortSignal.abort())).toBeUndefined();
  });

  it("serves a new one on new connections at once, and goes on with those that are open", async () => {
    const [first, second] = [servingCertificate(), servingCertificate()];
    await using bed = new WebhookBed();
    bed.certificates.set(first);
    await bed.start();
    const agent = bed.agent();
    const before = await bed.send({ ...VALIDATE, agent });

    bed.certificates.set(second);

    const after = await bed.send({ ...VALIDATE, agent });
    expect([before.serial, after.serial]).toEqual([serialOf(first), serialOf(first)]);
    expect(after.port).toBe(before.port);
    expect((await bed.send(VALIDATE)).serial).toBe(serialOf(second));
    expect(served(bed)).toEqual(["served", "served"]);
  });

  it.each<[string, (good: ServingCertificate) => ServingCertificate]>([
    ["whose key is another's", ({ cert }) => ({ cert, key: servingCertificate().key })],
    ["that is no PEM", ({ key }) => ({ cert: "nothing", key })],
    ["without a key", ({ cert }) => ({ cert, key: "" })],
  ])("keeps the one before when it is given one %s", async (_, spoil) => {
    const good = servingCertificate();
    await using bed = new WebhookBed();
    bed.certificates.set(good);
    await bed.start();

    bed.certificates.set(spoil(servingCertificate()));

    expect((await bed.send(VALIDATE)).serial).toBe(serialOf(good));
    expect(served(bed)).toEqual(["served", "refused"]);
    expect(bed.lines("error")).toEqual(["webhook certificate is of no use, the one before stays"]);
  });
});

describe("WebhookServer: TLS", TLS_SERVER, () => {
  it.each([
    ["speaks HTTP/2 only", { ALPNProtocols: ["h2"] }, "ERR_SSL_NO_APPLICATION_PROTOCOL"],
    [
      "knows no TLS 1.2",
      { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" },
      "ERR_SSL_UNSUPPORTED_PROTOCOL",
    ],
  ] as const)("refuses a client that %s, and says why", async (_, options, tlsError) => {
    await using bed = await new WebhookBed().start();

    const connection = await bed.raw(options);

    await connection.closed;
    await waitFor(() => bed.lines("warn").length > 0, { what: "the line" });
    expect(bed.logged.at(-1)).toEqual([TLS_FAILED, { tlsError }]);
    expect((await bed.send(VALIDATE)).status).toBe(200);
  });

  it("says it once when handshakes fail again and again, and counts each", async () => {
    await using bed = await new WebhookBed().start();
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 42]);

    for (const connection of [await bed.plain(), await bed.plain()]) {
      await connection.write(alert);
      await connection.closed;
    }

    const counted = () =>
      bed.metrics.lines.filter((line) => line === "svc_ferry_webhook_tls_errors_total");
    await waitFor(() => counted().length === 2, { what: "two errors" });
    expect(bed.logged.filter(([line]) => line === TLS_FAILED)).toEqual([
      [TLS_FAILED, { tlsError: "ERR_SSL_UNEXPECTED_MESSAGE" }],
    ]);
  });

  it("offers HTTP/1.1 to who would speak both", async () => {
    await using bed = await new WebhookBed().start();

    const connection = await bed.raw({ ALPNProtocols: ["h2", "http/1.1"] });

    expect(connection.protocol).toBe("http/1.1");
  });

  it("lets a client go that speaks no TLS", async () => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.plain();

    await connection.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    await connection.closed;
    expect(connection.received).not.toContain("HTTP/1.1 200");
  });

  it("has no word for who only looks whether the port is open", async () => {
    await using bed = await new WebhookBed().start();
    const connection = await bed.plain();

    connection.reset();

    expect((await bed.send(VALIDATE)).status).toBe(200);
    expect(bed.lines("warn")).toEqual([]);
  });
});

describe("WebhookServer: stop", TLS_SERVER, () => {
  it("answers on for a while, and tells each client to connect anew", async () => {
    const bed = await new WebhookBed().start();
    const agent = bed.agent();
    const before = await bed.send({ ...VALIDATE, agent });

    const stopped = bed.server.stop();

    expect(bed.server.readiness()).toEqual({ ok: false, waitingFor: ["the webhook is draining"] });
    const kept = await bed.send({ ...VALIDATE, agent });
    const opened = await bed.send(VALIDATE);
    // Longer than the 90 s for which an API server keeps an idle connection.
    expect(before.headers).toMatchObject({
      connection: "keep-alive",
      "keep-alive": "timeout=120",
    });
    expect(kept.port).toBe(before.port);
    expect([kept, opened].map(({ status, headers }) => [status, headers["connection"]])).toEqual([
      [200, "close"],
      [200, "close"],
    ]);
    await bed.clock.advance(bed.drainMs);
    await stopped;
    await expect(bed.send(VALIDATE)).rejects.toThrow("ECONNREFUSED");
    expect(bed.lines("info").slice(-2)).toEqual(["webhook draining", "webhook stopped"]);
    expect(bed.certificates.listeners).toBe(0);
  });

  it("goes on while API servers ask, until nobody has asked for a while", async () => {
    const bed = await new WebhookBed().start();

    const stopped = bed.server.stop();
    await bed.clock.advance(bed.drainMs - 1);
    await bed.send(VALIDATE);
    await bed.clock.advance(bed.drainMs - 1);
    const late = await bed.raw();

    expect(late.error).toBeUndefined();
    await bed.clock.advance(1);
    await expect(bed.send(VALIDATE)).rejects.toThrow("ECONNREFUSED");
    late.reset();
    await stopped;
  });

  it("does not go on for longer than the pod has, whoever asks", async () => {
    const bed = await new WebhookBed().start();

    const stopped = bed.server.stop();
    for (const passedMs of [4_000, 4_000, 3_999]) {
      await bed.clock.advance(passedMs);
      await bed.send(VALIDATE);
    }
    await bed.clock.advance(1);

    await stopped;
    expect(bed.clock.monotonicMs()).toBe(bed.maxDrainMs);
  });

  it("answers what is sent in the very moment in which it is to stop", async () => {
    const bed = await new WebhookBed().start();
    const connection = await bed.raw();

    const written = connection.write(POST);
    const stopped = bed.server.stop();

    await written;
    await connection.closed;
    expect(connection).toMatchObject({
      received: expect.stringMatching(LAST_ANSWER),
      error: undefined,
    });
    await bed.clock.advance(bed.drainMs);
    await stopped;
  });

  it("answers what has arrived, and was not read yet, when it is about to close idle connections", async () => {
    const clock = new ClockWithDeed();
    const bed = await new WebhookBed({}, {}, clock).start();
    const connection = await bed.raw();
    clock.deed = () => {
      clock.deed = () => undefined;
      void connection.write(POST);
    };

    const stopped = bed.server.stop();
    await clock.advance(bed.drainMs);

    await connection.closed;
    expect(connection).toMatchObject({
      received: expect.stringMatching(LAST_ANSWER),
      error: undefined,
    });
    await clock.advance(bed.drainMs);
    await stopped;
  });

  it("answers a review whose connection was in the middle of its handshake when it stopped listening", async () => {
    const bed = await new WebhookBed().start();
    const connection = await bed.plain();

    const stopped = bed.server.stop();
    await bed.clock.advance(bed.drainMs);
    const secured = await bed.raw({ socket: connection.socket });
    await secured.write(POST);

    await secured.closed;
    expect(secured).toMatchObject({
      received: expect.stringMatching(LAST_ANSWER),
      error: undefined,
    });
    await stopped;
  });

  it("closes idle connections after that, and finishes what is in flight", async () => {
    const { asked, validate, open } = gate();
    const bed = await new WebhookBed({ validate }).start();
    const idle = bed.agent();
    await bed.send({ path: "/mutate", body: CREATE, agent: idle });
    const answer = bed.send(VALIDATE);
    await waitFor(() => asked.length === 1, { what: "the review" });

    const stopped = bed.server.stop();
    await bed.clock.advance(bed.drainMs);
    open();

    expect((await answer).status).toBe(200);
    await stopped;
    expect(bed.logged.at(-1)).toEqual(["info webhook stopped", { cutConnections: 0 }]);
  });

  it("cuts off what does not end, handshakes included", async () => {
    const { asked, validate } = gate();
    const bed = await new WebhookBed({ validate }).start();
    const connection = await bed.raw();
    const silent = await bed.plain();
    await connection.write(POST);
    await waitFor(() => asked.length === 1, { what: "the review" });

    const stopped = bed.server.stop();
    await bed.clock.advance(bed.drainMs);
    await bed.clock.advance(bed.finishMs);

    await Promise.all([stopped, connection.closed, silent.closed]);
    expect(bed.logged.at(-1)).toEqual(["info webhook stopped", { cutConnections: 2 }]);
  });

  it("may be asked for twice, and where nothing ever started", async () => {
    const bed = await new WebhookBed().start();

    const stopped = bed.server.stop();
    await bed.server.stop();
    await bed.clock.advance(bed.drainMs);

    await expect(stopped).resolves.toBeUndefined();
    await expect(new WebhookBed().server.stop()).resolves.toBeUndefined();
  });
});

describe("WebhookServer: start", TLS_SERVER, () => {
  it("fails on a port that is taken", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const clock = new VirtualClock();
    const certificate = servingCertificate();

    const server = new WebhookServer(
      { bindAddress: "127.0.0.1", port, drainMs: 0, maxDrainMs: 0, finishMs: 0, limits: LIMITS },
      { current: () => certificate, onChange: () => () => undefined },
      {
        keepAnnotation: () => false,
        mutate: () => ({ kind: "allowed" }),
        validate: () => ({ kind: "allowed" }),
      },
      new AdmissionReporter(clock, SILENT_LOG, new RecordedMetrics()),
      clock,
    );

    await expect(server.start(new AbortController().signal)).rejects.toThrow("EADDRINUSE");
    expect(server.readiness().ok).toBe(false);
    squatter.close();
  });
});
