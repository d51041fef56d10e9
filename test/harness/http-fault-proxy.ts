import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest, type Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { listenOnFreePort } from "../controlplane/free-port.js";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import { type SelfSigned, selfSigned } from "../controlplane/self-signed.js";
import type { ForwardedAction, HttpRule, ProxiedRequest } from "./http-action.js";
import { breakConnection, emptied, firstBytes, respond, withoutLength } from "./http-answers.js";
import { Delayed, FaultyStream, Splitter, type StreamFaults } from "./stream-fault.js";

/**
 * An HTTPS (HTTP/1.1) reverse proxy in front of an API server, with a certificate of its own and faults by rule.
 * Headers pass as they are, Authorization included: clients keep their own credentials. Bodies stream unbuffered.
 */
export class HttpFaultProxy {
  readonly #requests: ProxiedRequest[] = [];
  readonly #streams = new Map<FaultyStream, ProxiedRequest>();
  readonly #agent: Agent;
  #rule: HttpRule = () => undefined;
  #tlsConnections = 0;

  /** Made by startHttpFaultProxy. */
  constructor(
    private readonly server: Server,
    private readonly port: number,
    private readonly target: Pick<ClusterConnection, "server" | "ca">,
    /** PEM of the proxy's own certificate: `writeKubeconfig(path, [{ ..., server: proxy.url, ca: proxy.ca }])`. */
    readonly ca: string,
  ) {
    this.#agent = new Agent({ keepAlive: true, ca: target.ca });
    server.on("secureConnection", () => this.#tlsConnections++);
    server.on("request", (incoming, response) => {
      this.#serve(incoming, response).catch(() => incoming.socket.destroy());
    });
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** All requests since the start, oldest first. */
  get requests(): readonly ProxiedRequest[] {
    return this.#requests;
  }

  /** TLS handshakes completed since the start: how many connections clients have opened. */
  get tlsConnections(): number {
    return this.#tlsConnections;
  }

  count(matches: (request: ProxiedRequest) => boolean): number {
    return this.#requests.filter(matches).length;
  }

  /** Replaces the rule, for requests that arrive from now on; no argument: everything passes. */
  setRule(rule: HttpRule = () => undefined): void {
    this.#rule = rule;
  }

  /** Watches that run now. */
  watches(matches: (request: ProxiedRequest) => boolean = () => true): number {
    return this.#chosen(matches).length;
  }

  /** Adds a line to running watches, at the next end of a line; returns to how many. */
  injectLine(line: string, matches: (request: ProxiedRequest) => boolean = () => true): number {
    const streams = this.#chosen(matches);
    for (const stream of streams) stream.injectLine(line);
    return streams.length;
  }

  /** Ends running watches in good order, as a server's timeout does; returns how many. */
  endWatches(matches: (request: ProxiedRequest) => boolean = () => true): number {
    const streams = this.#chosen(matches);
    for (const stream of streams) stream.finish();
    return streams.length;
  }

  /** Breaks all connections, in the middle of whatever they carry. */
  cut(): void {
    this.server.closeAllConnections();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    this.#agent.destroy();
    await closed;
  }

  #chosen(matches: (request: ProxiedRequest) => boolean): readonly FaultyStream[] {
    return [...this.#streams].filter(([, request]) => matches(request)).map(([stream]) => stream);
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = parse(incoming);
    this.#requests.push(request);
    let action = this.#rule(request) ?? { kind: "pass" };
    while (action.kind === "delay") {
      await sleep(action.delayMs);
      action = action.next ?? { kind: "pass" };
    }
    switch (action.kind) {
      case "hang":
        return;
      case "reset":
        breakConnection(incoming);
        return;
      case "respond":
        incoming.resume();
        respond(response, action.status, action.body, action.headers);
        return;
      case "pass":
      case "lose-answer":
      case "empty-list":
      case "cut":
      case "stream":
        await this.#forward(incoming, response, request, action);
    }
  }

  async #forward(
    incoming: IncomingMessage,
    response: ServerResponse,
    request: ProxiedRequest,
    action: ForwardedAction,
  ): Promise<void> {
    const plain = action.kind !== "pass"; // what is to be changed must not be compressed
    const answer = await this.#ask(incoming, response, plain);
    response.on("close", () => answer.destroy());
    answer.on("error", () => breakConnection(incoming));
    const { statusCode = 502, headers } = answer;
    switch (action.kind) {
      case "lose-answer":
        answer.resume().on("end", () => breakConnection(incoming));
        return;
      case "empty-list":
        respond(response, statusCode, await emptied(answer));
        return;
      case "cut": {
        const beginning = await firstBytes(answer, action.afterBytes);
        response.writeHead(statusCode, withoutLength(headers));
        response.flushHeaders();
        response.write(beginning, () => breakConnection(incoming));
        return;
      }
      case "pass":
        this.#stream(answer, response, request, {});
        return;
      case "stream":
        this.#stream(answer, response, request, action);
    }
  }

  /** Each chunk is written as soon as it comes; the socket sends it at once (no Nagle delay on TLS servers of node). */
  #stream(
    answer: IncomingMessage,
    response: ServerResponse,
    request: ProxiedRequest,
    faults: StreamFaults,
  ): void {
    const stream = new FaultyStream(faults);
    response.writeHead(answer.statusCode ?? 502, withoutLength(answer.headers));
    response.flushHeaders();
    if (request.watch) this.#streams.set(stream, request);
    response.on("close", () => {
      this.#streams.delete(stream);
      stream.destroy();
    });
    const { chunkBytes, delayMs } = faults;
    const changed = answer.pipe(stream);
    const split = chunkBytes === undefined ? changed : changed.pipe(new Splitter(chunkBytes));
    (delayMs === undefined ? split : split.pipe(delayed(delayMs, response))).pipe(response);
  }

  async #ask(
    incoming: IncomingMessage,
    response: ServerResponse,
    plain: boolean,
  ): Promise<IncomingMessage> {
    const headers = { ...incoming.headers, ...(plain ? { "accept-encoding": "identity" } : {}) };
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        new URL(incoming.url ?? "/", this.target.server),
        { method: incoming.method, headers, agent: this.#agent },
        resolve,
      );
      outgoing.on("error", reject);
      response.on("close", () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
  }
}

/** Listens on a free port of 127.0.0.1, with a new certificate. */
export async function startHttpFaultProxy(
  target: Pick<ClusterConnection, "server" | "ca">,
): Promise<HttpFaultProxy> {
  const { cert, key }: SelfSigned = selfSigned("svc-ferry-fault-proxy");
  const server = createServer({ cert, key, noDelay: true });
  return new HttpFaultProxy(server, await listenOnFreePort(server), target, cert);
}

/** What is still held when the client leaves is held no longer. */
function delayed(delayMs: number, response: ServerResponse): Delayed {
  const stream = new Delayed(delayMs);
  response.on("close", () => stream.destroy());
  return stream;
}

function parse(incoming: IncomingMessage): ProxiedRequest {
  const { pathname, searchParams } = new URL(incoming.url ?? "/", "https://127.0.0.1");
  const watch = ["true", "1"].includes(searchParams.get("watch") ?? "");
  const { method = "GET", headers } = incoming;
  return { method, path: pathname, query: searchParams, watch, headers };
}
