import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listenOnFreePort } from "../../../controlplane/free-port.js";
import { type FaultProxy, startFaultProxy } from "../../../harness/fault-proxy.js";
import { waitFor } from "../../../harness/wait-for.js";

/** A server that sends back what it gets, and remembers it. */
let server: Server;
let proxy: FaultProxy;
const served: Socket[] = [];
const clients: Client[] = [];
let got = "";

beforeEach(async () => {
  got = "";
  server = createServer({ allowHalfOpen: true }, (socket) => {
    served.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString();
      socket.write(chunk);
    });
    socket.on("end", () => socket.end());
  });
  const port = await listenOnFreePort(server);
  proxy = await startFaultProxy({ host: "127.0.0.1", port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  for (const socket of served.splice(0)) socket.destroy();
  await proxy.close();
  server.close();
});

describe("FaultProxy", () => {
  it("passes bytes and ends both ways", async () => {
    const client = await open();

    client.socket.end("hello");
    await client.closed;

    expect(client.text).toBe("hello");
    expect(client.error).toBeUndefined();
    expect(proxy.accepted).toBe(1);
    await waitFor(() => proxy.open === 0, { what: "no open connection" });
  });

  it("passes a megabyte unharmed", async () => {
    const client = await open();
    const text = "0123456789abcdef".repeat(65_536);

    client.socket.end(text);
    await client.closed;

    expect(client.text === text).toBe(true);
  });

  it("resets new connections while it refuses, and leaves open ones alone", async () => {
    const before = await open();
    await before.exchange("a");

    proxy.refuse();
    const during = await open();
    await during.closed;
    await before.exchange("b");
    proxy.pass();
    const after = await open();
    await after.exchange("c");

    expect(during.error).toBe("ECONNRESET");
    expect(got).toBe("abc");
  });

  it("resets both ends of open connections when cut, and takes new ones", async () => {
    const client = await open();
    await client.exchange("a");
    const errors: string[] = [];
    served[0]?.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code ?? ""));

    proxy.cut();
    await client.closed;
    await waitFor(() => errors.length > 0, { what: "the server's error" });

    expect([client.error, ...errors]).toEqual(["ECONNRESET", "ECONNRESET"]);
    await (await open()).exchange("b");
  });

  it("is silent both ways in a blackhole and delivers what it held when it is over", async () => {
    const old = await open();
    await old.exchange("a");

    proxy.blackhole();
    const fresh = await open();
    fresh.socket.write("b");
    old.socket.write("c");
    served[0]?.write("d");
    await Promise.all([flushed(old.socket), flushed(fresh.socket)]);
    expect([got, old.text, fresh.text]).toEqual(["a", "a", ""]);

    proxy.pass();
    await waitFor(() => old.text === "adc" && fresh.text === "b", { what: "what was held" });
  });

  it("hides the end of one side from the other in a blackhole", async () => {
    const client = await open();
    await client.exchange("a");
    const [atServer] = served;

    proxy.blackhole();
    client.socket.destroy();
    await client.closed;
    await flushed(client.socket);
    expect(atServer?.readableEnded).toBe(false);

    proxy.pass();
    await waitFor(() => atServer?.destroyed, { what: "the server's knowledge of the end" });
  });

  it("hides a reset by one side from the other in a blackhole", async () => {
    const client = await open();
    await client.exchange("a");
    const [atServer] = served;

    proxy.blackhole();
    client.socket.resetAndDestroy();
    await client.closed;
    await flushed(client.socket);
    expect(atServer?.closed).toBe(false);

    proxy.pass();
    await waitFor(() => atServer?.closed, { what: "the server's knowledge of the reset" });
  });

  it("can be silent towards the client only", async () => {
    const client = await open();

    proxy.blackhole("to-client");
    client.socket.write("a");
    await waitFor(() => got === "a", { what: "the byte at the server" });
    expect(client.text).toBe("");

    proxy.pass();
    await waitFor(() => client.text === "a", { what: "the echo" });
  });

  it("delays each direction, without holding up what follows", async () => {
    const client = await open();
    await client.exchange("a");
    proxy.delay(50);

    const begin = performance.now();
    client.socket.write("b");
    await flushed(client.socket);
    client.socket.write("c");
    await waitFor(() => client.text === "abc", { what: "the echo", everyMs: 1 });
    const tookMs = performance.now() - begin;

    expect(tookMs).toBeGreaterThanOrEqual(99);
    expect(got).toBe("abc");
  });

  it("throttles", async () => {
    const client = await open();
    proxy.throttle(10_000);

    const begin = performance.now();
    client.socket.write("x".repeat(500));
    await waitFor(() => client.text.length === 500, { what: "the first part", everyMs: 1 });
    client.socket.write("y");
    await waitFor(() => client.text.length === 501, { what: "the rest", everyMs: 1 });

    expect(performance.now() - begin).toBeGreaterThanOrEqual(49);
  });

  it("leads new connections elsewhere after a retarget", async () => {
    const other = createServer((socket) => socket.end("other"));
    const port = await listenOnFreePort(other);

    proxy.retarget({ host: "127.0.0.1", port });
    const client = await open();
    await waitFor(() => client.text === "other", { what: "the other server" });

    other.close();
  });

  it("resets clients when its target does not listen", async () => {
    const dead = createServer();
    const port = await listenOnFreePort(dead);
    await new Promise((resolve) => dead.close(resolve));

    proxy.retarget({ host: "127.0.0.1", port });
    const client = await open();
    await client.closed;

    expect(client.error).toBe("ECONNRESET");
  });
});

class Client {
  text = "";
  error: string | undefined;
  readonly closed: Promise<void>;

  constructor(readonly socket: Socket) {
    socket.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code));
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** Sends a text and waits for its echo. */
  async exchange(text: string): Promise<void> {
    this.socket.write(text);
    await waitFor(() => this.text.endsWith(text), { what: `the echo of ${text}`, everyMs: 1 });
  }
}

async function open(): Promise<Client> {
  const socket = connect({ host: "127.0.0.1", port: proxy.port, noDelay: true });
  const client = new Client(socket);
  clients.push(client);
  await Promise.race([once(socket, "connect"), client.closed]).catch(() => {});
  return client;
}

/** The kernel has the bytes, and an exchange over a connection of its own shows that the event loop has gone round. */
async function flushed(socket: Socket): Promise<void> {
  await waitFor(() => socket.destroyed || socket.writableLength === 0, { what: "empty buffers" });
  const bystander = createServer((peer) => peer.end("x"));
  const probe = connect({ host: "127.0.0.1", port: await listenOnFreePort(bystander) });
  await once(probe, "data");
  probe.destroy();
  bystander.close();
}
