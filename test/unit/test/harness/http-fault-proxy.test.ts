import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { finished } from "node:stream/promises";
import { Agent, request } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listenOnFreePort } from "../../../controlplane/free-port.js";
import { selfSigned } from "../../../controlplane/self-signed.js";
import { type HttpFaultProxy, startHttpFaultProxy } from "../../../harness/http-fault-proxy.js";
import { waitFor } from "../../../harness/wait-for.js";

const LIST = {
  kind: "ServiceList",
  metadata: { resourceVersion: "7", continue: "more", remainingItemCount: 3 },
  items: [{ metadata: { name: "web" } }],
};

const credentials = selfSigned("upstream");
let upstream: Server;
let upstreamUrl = "";
let heard: { method: string | undefined; url: string | undefined; auth: string | undefined }[] = [];
let watches: ServerResponse[] = [];
let proxy: HttpFaultProxy;
let agent: Agent;

beforeAll(async () => {
  upstream = createServer(credentials, answer);
  upstreamUrl = `https://127.0.0.1:${await listenOnFreePort(upstream)}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});
beforeEach(async () => {
  heard = [];
  watches = [];
  proxy = await startHttpFaultProxy({ server: upstreamUrl, ca: credentials.cert });
  agent = new Agent({ connect: { ca: proxy.ca }, connections: 1 });
});
afterEach(async () => {
  await agent.destroy();
  await proxy.close();
});

describe("HttpFaultProxy", () => {
  it("passes requests with their credentials and bodies, and answers with theirs", async () => {
    const answered = await call("POST", "/echo?dryRun=All", "payload");

    expect(answered).toEqual({ status: 201, text: "payload" });
    expect(heard).toEqual([{ method: "POST", url: "/echo?dryRun=All", auth: "Bearer token" }]);
  });

  it("answers in the server's stead, with status, headers and body", async () => {
    proxy.setRule(({ method, path }) =>
      method === "POST" && path === "/echo"
        ? {
            kind: "respond",
            status: 429,
            body: { kind: "Status" },
            headers: { "retry-after": "1" },
          }
        : undefined,
    );

    const response = await request(`${proxy.url}/echo`, { method: "POST", dispatcher: agent });

    expect(response.statusCode).toBe(429);
    expect(response.headers["retry-after"]).toBe("1");
    expect(await response.body.json()).toEqual({ kind: "Status" });
    expect((await call("GET", "/list")).status).toBe(200);
    expect(heard.map(({ url }) => url)).toEqual(["/list"]);
  });

  it("empties a list but keeps its resource version, and names no further page", async () => {
    proxy.setRule(() => ({ kind: "empty-list" }));

    const { text } = await call("GET", "/list");

    expect(JSON.parse(text)).toEqual({
      kind: "ServiceList",
      metadata: { resourceVersion: "7" },
      items: [],
    });
  });

  it("breaks the connection after so many bytes of the body", async () => {
    proxy.setRule(() => ({ kind: "cut", afterBytes: 5 }));
    const response = await request(`${proxy.url}/list`, { dispatcher: agent });

    const received: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of response.body) received.push(chunk as Buffer);
    })();

    await expect(reading).rejects.toThrow();
    expect(Buffer.concat(received).toString()).toBe(JSON.stringify(LIST).slice(0, 5));
  });

  it("loses the answer to a request that the server has acted on", async () => {
    proxy.setRule(() => ({ kind: "lose-answer" }));

    await expect(call("POST", "/echo", "x")).rejects.toThrow();

    expect(heard).toHaveLength(1);
  });

  it("resets a request that the server never hears of", async () => {
    proxy.setRule(() => ({ kind: "reset" }));

    await expect(call("POST", "/echo", "x")).rejects.toThrow();

    expect(heard).toEqual([]);
  });

  it("does not answer at all when told to hang", async () => {
    proxy.setRule(() => ({ kind: "hang" }));

    const waiting = request(`${proxy.url}/list`, { dispatcher: agent, headersTimeout: 100 });

    await expect(waiting).rejects.toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
    expect(heard).toEqual([]);
  });

  it("delays and then does what comes next", async () => {
    const next = { kind: "respond", status: 500 } as const;
    proxy.setRule(() => ({ kind: "delay", delayMs: 30, next }));

    const begin = performance.now();
    const { status } = await call("GET", "/list");

    expect(status).toBe(500);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(29);
  });

  it("counts requests and connections", async () => {
    await call("GET", "/list");
    await call("GET", "/list");
    await call("POST", "/echo", "x");

    expect(proxy.count(({ method }) => method === "GET")).toBe(2);
    expect(proxy.requests.map(({ path }) => path)).toEqual(["/list", "/list", "/echo"]);
    expect(proxy.tlsConnections).toBe(1);
  });

  it("passes each line of a watch on as it comes", async () => {
    const watch = await openWatch();

    send("one\n");
    await waitFor(() => watch.text() === "one\n", { what: "the first line" });
    send("tw");
    await waitFor(() => watch.text() === "one\ntw", { what: "half a line" });

    expect(proxy.watches()).toBe(1);
  });

  it("splits a watch at any byte, in the middle of a character too", async () => {
    proxy.setRule(() => ({ kind: "stream", chunkBytes: 1 }));
    const watch = await openWatch();

    send("é€\n");
    await waitFor(() => watch.text() === "é€\n", { what: "the line" });

    expect(watch.chunks.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("injects lines into a watch by count and on demand, never inside a line", async () => {
    const inject = [
      { afterLines: 0, line: "zero" },
      { afterLines: 1, line: "after one" },
    ];
    proxy.setRule(() => ({ kind: "stream", inject }));
    const watch = await openWatch();
    send("one\ntw");
    await waitFor(() => watch.text().endsWith("tw"), { what: "half a line" });

    const reached = proxy.injectLine("ERROR", ({ path }) => path === "/watch");
    send("o\n");

    await waitFor(() => watch.text() === "zero\none\nafter one\ntwo\nERROR\n", { what: "all" });
    expect(reached).toBe(1);
    expect(proxy.injectLine("ERROR", ({ path }) => path === "/other")).toBe(0);
  });

  it("ends a watch in good order after lines, after a time, or on demand", async () => {
    proxy.setRule(({ query }) =>
      query.has("lines")
        ? { kind: "stream", endAfterLines: 1 }
        : query.has("time")
          ? { kind: "stream", endAfterMs: 5 }
          : undefined,
    );

    const byLines = await openWatch("&lines");
    send("one\ntwo\n");
    await expect(byLines.ended).resolves.toBe("one\n");
    const byTime = await openWatch("&time");
    await expect(byTime.ended).resolves.toBe("");
    const onDemand = await openWatch();
    expect(proxy.endWatches()).toBe(1);
    await expect(onDemand.ended).resolves.toBe("");
  });

  it("delivers a watch late, in its order and with its end, and what is not delayed at once", async () => {
    proxy.setRule(({ query }) =>
      query.has("late") ? { kind: "stream", delayMs: 60 } : { kind: "pass" },
    );
    const late = await openWatch("&late");
    const begin = performance.now();

    send("one\n");
    send("two\n");
    watches.at(-1)?.end();
    const prompt = await openWatch();
    send("prompt\n");
    await waitFor(() => prompt.text() === "prompt\n", { what: "the other watch" });

    await expect(late.ended).resolves.toBe("one\ntwo\n");
    expect(performance.now() - begin).toBeGreaterThanOrEqual(59);
  });

  it("tells the server when a client leaves a watch", async () => {
    const watch = await openWatch();
    const [atServer] = watches;

    watch.leave();

    await waitFor(() => atServer?.closed, { what: "the end at the server" });
    expect(proxy.watches()).toBe(0);
  });

  it("breaks a watch when the server breaks", async () => {
    const watch = await openWatch();
    send("one\n");
    await waitFor(() => watch.text() === "one\n", { what: "the first line" });

    watches.at(-1)?.socket?.destroy();

    await expect(watch.ended).rejects.toThrow();
  });
});

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming;
  heard.push({ method, url, auth: headers.authorization });
  if (url?.startsWith("/watch")) {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    watches.push(response);
  } else if (url?.startsWith("/list")) {
    response.end(JSON.stringify(LIST));
  } else {
    response.writeHead(201);
    incoming.pipe(response);
  }
}

async function call(method: "GET" | "POST", path: string, body?: string) {
  const response = await request(proxy.url + path, {
    method,
    dispatcher: agent,
    headers: { authorization: "Bearer token" },
    body: body ?? null,
  });
  return { status: response.statusCode, text: await response.body.text() };
}

/** What the upstream server sends into the newest watch. */
function send(text: string): void {
  watches.at(-1)?.write(text);
}

async function openWatch(query = "") {
  const leaving = new AbortController();
  const { body } = await request(`${proxy.url}/watch?watch=true${query}`, {
    dispatcher: agent,
    signal: leaving.signal,
  });
  const chunks: Buffer[] = [];
  const text = (): string => Buffer.concat(chunks).toString();
  const ended = (async () => {
    body.on("data", (chunk: Buffer) => chunks.push(chunk));
    await finished(body);
    return text();
  })();
  ended.catch(() => {}); // judged by the tests that wait for it
  return { chunks, text, ended, leave: () => leaving.abort() };
}
