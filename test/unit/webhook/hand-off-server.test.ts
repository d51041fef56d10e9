import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { HAND_OFF_NAME } from "../../../certs/carry-out.js";
import { MAX_BATCH_HINTS } from "../../../src/ports/hand-off.js";
import { HandOffServer } from "../../../webhook/hand-off-server.js";
import { CA, HandOffBed, identityOf, OTHER_CA } from "../../fixtures/hand-off-bed.js";
import { hintOf } from "../../fixtures/hints.js";
import { waitFor } from "../../harness/wait-for.js";

/** Handshakes take their time while other tests use the same cores. */
const TLS_SERVER = { timeout: 20_000 };

const WEB = hintOf("shop/web");
const body = (of: object = {}) =>
  JSON.stringify({ from: "svc-ferry-1", hints: [WEB], resync: false, ...of });
const REFUSED = "warn: connection to the hand-off refused";
const reasons = ({ log }: HandOffBed) =>
  log.records
    .filter(({ message }) => REFUSED.endsWith(message))
    .map(({ fields }) => fields["reason"]);

describe("HandOffServer: hints", TLS_SERVER, () => {
  it("takes those of another replica", async () => {
    await using bed = await new HandOffBed().start();

    const answered = await bed.send({ body: body({ resync: true }) });

    expect(answered).toMatchObject({ status: 200, text: "taken" });
    expect(bed.received).toEqual([{ hints: [WEB], resync: true }]);
  });

  it("takes none while this replica does not lead, and has no line for that", async () => {
    await using bed = await new HandOffBed().start();
    bed.isLeading = false;

    const answered = await bed.send({ body: body() });

    expect(answered).toMatchObject({ status: 409, text: "this replica does not lead" });
    expect(bed.log.lines).toEqual(["info: hand-off listening"]);
  });

  it.each([
    ["another path", { path: "/mutate" }, 404, "there is nothing here but /hints and /page"],
    ["a query", { path: "/hints?x=1" }, 404, "there is nothing here but /hints and /page"],
    ["another method", { method: "PUT", body: body() }, 405, "hints are sent by POST"],
    ["a page by POST", { path: "/page?q=a", body: "" }, 405, "the page is asked for by GET"],
    [
      "what begins like the page",
      { path: "/pages" },
      404,
      "there is nothing here but /hints and /page",
    ],
    [
      "another type",
      { headers: { "content-type": "text/plain" }, body: body() },
      415,
      "hints are sent as application/json",
    ],
    ["no body", { body: "" }, 400, "the body is empty"],
    ["no JSON", { body: "{" }, 400, "the body is not JSON"],
    ["no hints", { body: body({ hints: undefined }) }, 400, "batch.hints is missing"],
    [
      "too many hints",
      { body: body({ hints: Array.from({ length: MAX_BATCH_HINTS + 1 }, () => WEB) }) },
      400,
      "batch.hints has more than 500 entries",
    ],
    [
      "a text that is too long",
      { body: body({ hints: [{ ...WEB, by: "x".repeat(257) }] }) },
      400,
      "batch.hints[0].by is too long",
    ],
    [
      "a prototype",
      { body: '{"from":"x","hints":[],"resync":false,"__proto__":{}}' },
      400,
      'the body has a key "__proto__"',
    ],
    [
      "too many bytes",
      { body: Buffer.alloc(1_024 * 1_024 + 1, " ") },
      413,
      "a batch has at most 500 hints and 1048576 bytes",
    ],
  ])("rejects %s, ends that connection and says why", async (_, sent, status, text) => {
    await using bed = await new HandOffBed().start();

    const answered = await bed.send(sent);

    expect(answered).toMatchObject({ status, text, headers: { connection: "close" } });
    expect(bed.received).toEqual([]);
    expect(bed.log.records.at(-1)).toMatchObject({
      message: "request to the hand-off rejected",
      fields: { status, reason: text },
    });
  });

  it("answers what is not HTTP with an error, and goes on", async () => {
    await using bed = await new HandOffBed().start();
    const socket = await bed.raw();
    const received = once(socket, "data") as Promise<[Buffer]>;

    socket.write("what is this\r\n\r\n");

    expect((await received)[0].toString()).toMatch(/^HTTP\/1.1 400 /);
    await once(socket, "close");
    expect(await bed.send({ body: body() })).toMatchObject({ status: 200 });
  });
});

describe("HandOffServer: who may speak", TLS_SERVER, () => {
  it("listens before it has a certificate, lets nobody in, and has no line for it", async () => {
    await using bed = await new HandOffBed().startBare();
    const before = await Promise.allSettled([bed.send({ body: body() })]);

    bed.identities.set(identityOf(CA));

    expect(before[0].status).toBe("rejected");
    expect(await bed.send({ body: body() })).toMatchObject({ status: 200 });
    expect(reasons(bed)).toEqual([]);
  });

  it.each([
    ["without a certificate", undefined, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"],
    ["with one of another CA", identityOf(OTHER_CA, {}, [CA]), "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [
      "with one of our CA that has another name",
      identityOf(CA, { names: ["svc-ferry-webhook.svc-ferry.svc"] }),
      "its certificate has another name",
    ],
    [
      "with one of our CA that has the name as a wildcard only",
      identityOf(CA, { names: ["*.svc-ferry.internal"] }),
      "its certificate has another name",
    ],
    [
      "with one of our CA that has the name as its common name only",
      identityOf(CA, { commonName: HAND_OFF_NAME, names: ["10.0.0.7"] }),
      "its certificate has another name",
    ],
    [
      "with one of our CA that is for servers only",
      identityOf(CA, { usages: ["server"] }),
      "INVALID_PURPOSE",
    ],
    [
      "with one that has ended",
      identityOf(CA, { madeMs: Date.now() - 7_200_000, validityMs: 3_600_000 }),
      "CERT_HAS_EXPIRED",
    ],
  ])("hears nobody %s", async (_, identity, reason) => {
    await using bed = await new HandOffBed().start();

    await expect(bed.send({ identity, body: body() })).rejects.toThrow();

    await waitFor(() => reasons(bed).length > 0, { what: "the line" });
    expect(reasons(bed)).toEqual([reason]);
    expect(bed.received).toEqual([]);
  });

  it("speaks TLS 1.3 only", async () => {
    await using bed = await new HandOffBed().start();

    const socket = await bed.raw({ maxVersion: "TLSv1.2" });

    expect(socket.destroyed).toBe(true);
    expect(reasons(bed)).toEqual(["ERR_SSL_UNSUPPORTED_PROTOCOL"]);
  });

  it("resumes no session: it would not be verified again", async () => {
    await using bed = await new HandOffBed().start();
    const sessions: Buffer[] = [];
    const socket = await bed.raw();
    socket.on("session", (session: Buffer) => sessions.push(session));

    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(socket, "close");
    const again = await bed.raw(sessions[0] === undefined ? {} : { session: sessions[0] });

    expect(again.isSessionReused()).toBe(false);
  });

  it("has no word for who only looks whether the port is open", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();

    proxy.blackhole();
    const gone = bed
      .replica()
      .hears(`127.0.0.1:${proxy.port}`)
      .deliver({ hints: [], resync: false });
    await waitFor(() => proxy.open === 1, { what: "the connection" });
    proxy.cut();
    await expect(gone).rejects.toThrow();

    expect(await bed.send({ body: body() })).toMatchObject({ status: 200 });
    expect(reasons(bed)).toEqual([]);
  });
});

describe("HandOffServer: a new identity", TLS_SERVER, () => {
  it("goes on with the connections that are open", async () => {
    await using bed = await new HandOffBed().start();
    const proxy = await bed.proxy();
    const replica = bed.replica().hears(`127.0.0.1:${proxy.port}`);
    await replica.deliver({ hints: [WEB], resync: false });

    bed.identities.set(identityOf(OTHER_CA));
    await replica.deliver({ hints: [], resync: true });

    expect(bed.received).toHaveLength(2);
    expect(proxy.accepted).toBe(1);
  });

  it("counts for new ones at once: the CA that joined is trusted, the one that left is not", async () => {
    const [old, both, next] = [
      identityOf(CA),
      identityOf(CA, {}, [CA, OTHER_CA]),
      identityOf(OTHER_CA, {}, [CA, OTHER_CA]),
    ];
    await using bed = await new HandOffBed().start(both);
    const joined = await Promise.all(
      [old, next].map((identity) => bed.send({ identity, body: body() })),
    );

    bed.identities.set(identityOf(OTHER_CA));

    expect(joined.map(({ status }) => status)).toEqual([200, 200]);
    expect(await bed.send({ identity: next, body: body() })).toMatchObject({ status: 200 });
    await expect(bed.send({ identity: both, body: body() })).rejects.toThrow();
    const trusting = identityOf(CA, {}, [CA, OTHER_CA]);
    await expect(bed.send({ identity: trusting, body: body() })).rejects.toThrow();
    expect(bed.received).toHaveLength(3);
  });

  it.each([
    ["whose key is another's", { key: identityOf(CA).key }],
    ["without a CA, which would mean every public one", { ca: "" }],
    ["that is no PEM", { cert: "nothing" }],
  ])("stays with the one before when it is given one %s", async (_, spoilt) => {
    await using bed = await new HandOffBed().start();

    bed.identities.set({ ...identityOf(CA), ...spoilt });

    expect(await bed.send({ body: body() })).toMatchObject({ status: 200 });
    expect(bed.log.lines).toContain(
      "error: hand-off certificate is of no use, the one before stays",
    );
  });
});

describe("HandOffServer: start and stop", TLS_SERVER, () => {
  it("closes everything at once, handshakes and requests in the middle included", async () => {
    const bed = await new HandOffBed().start();
    const [shaking, idle, sending] = [await bed.plain(), await bed.raw(), await bed.raw()];
    sending.write("POST /hints HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");

    await bed.server.stop();

    const all = [shaking, idle, sending];
    await waitFor(() => all.every(({ destroyed }) => destroyed), { what: "all to be closed" });
    await expect(bed.send()).rejects.toThrow("ECONNREFUSED");
  });

  it("asks for no identity after its stop, and may be stopped twice or without a start", async () => {
    const bed = await new HandOffBed().start();
    const before = bed.identities.listeners;

    await bed.server.stop();

    expect([before, bed.identities.listeners]).toEqual([1, 0]);
    await expect(bed.server.stop()).resolves.toBeUndefined();
    await expect(new HandOffBed().server.stop()).resolves.toBeUndefined();
  });

  it.each([
    ["headers", "POST /hints HTTP/1.1\r\n"],
    [
      "body",
      "POST /hints HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ],
  ])("lets go of who does not come to the end of its %s", async (_, text) => {
    await using bed = await new HandOffBed({
      headersMs: 40,
      requestMs: 50,
      checkEveryMs: 10,
    }).start();
    const socket = await bed.raw();

    socket.write(text);

    await once(socket, "close");
    expect(bed.log.lines).toContain("warn: request to the hand-off rejected");
  });

  it("fails on a port that is taken, and does not begin when it is to stop", async () => {
    await using bed = await new HandOffBed().start();
    const { clock, log, identities } = bed;
    const port = Number(bed.address.split(":").at(-1));
    const settings = { bindAddress: "127.0.0.1", port };
    const server = new HandOffServer(settings, {
      clock,
      log,
      identities,
      receive: () => true,
      page: () => undefined,
    });

    await expect(server.start(new AbortController().signal)).rejects.toThrow("EADDRINUSE");
    await expect(new HandOffBed().server.start(AbortSignal.abort())).rejects.toThrow("aborted");
  });
});
