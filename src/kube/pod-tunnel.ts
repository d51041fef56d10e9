/**
 * One HTTP request to a pod through its API server and its kubelet, as `kubectl port-forward` does: a WebSocket whose messages
 * begin with a channel, 0 for bytes of the connection and 1 for what went wrong with it; the first two bytes of each channel
 * repeat the port. Source: kubernetes staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
 */
import { request as plainRequest, type IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { Clock } from "../ports/clock.js";
import { type ErrorCode, RetryableError, TerminalError } from "../ports/errors.js";
import type { PodAnswer, PodHttp, PodPort } from "../ports/pod-http.js";
import type { Random } from "../ports/random.js";
import type { Credential } from "./credential.js";
import { failureOf, unexpected } from "./status.js";
import { withTimeLimit } from "./time-limit.js";
import { clientFrame, FrameReader, type Frame } from "./websocket-frames.js";

export interface PodTunnelParts {
  /** Names the cluster in errors. */
  readonly cluster: string;
  readonly userAgent: string;
  readonly credentials: { current(): Promise<Credential> };
  readonly clock: Clock;
  readonly random: Random;
}

/** Three machines are in the way; a person waits for the answer. */
const LIMIT_MS = 5_000;
/** A status of 10,000 Services has about 4 MB. */
const MAX_BYTES = 64 * 1_024 * 1_024;
const PROTOCOL = "v4.channel.k8s.io";
const CHANNELS = { data: 0, error: 1 } as const;
/** Of each channel's first message. */
const PORT_BYTES = 2;

export class PodTunnel implements PodHttp {
  constructor(private readonly parts: PodTunnelParts) {}

  async get(pod: PodPort, path: string, signal: AbortSignal): Promise<PodAnswer> {
    const { clock, cluster, credentials } = this.parts;
    const { namespace, name, port } = pod;
    const where = `${cluster}: port-forward ${namespace}/${name}:${port}`;
    const credential = await credentials.current();
    try {
      return await withTimeLimit(
        clock,
        LIMIT_MS,
        (late) => this.#get(where, { credential, pod, path }, AbortSignal.any([signal, late])),
        (cause) => new RetryableError("FERRY-K002", `${where}: no answer`, { cause }),
      );
    } catch (error) {
      if (error instanceof RetryableError || error instanceof TerminalError) throw error;
      if (error instanceof RangeError) throw unexpected(where, error.message, error);
      const why = error instanceof Error ? error.message : "no answer";
      throw new RetryableError("FERRY-K001", `${where}: ${why}`, { cause: error });
    }
  }

  async #get(
    where: string,
    { credential, pod, path }: Asked,
    signal: AbortSignal,
  ): Promise<PodAnswer> {
    const upgraded = await upgrade(where, { credential, pod, ...this.parts }, signal);
    const stop = (): void => void upgraded.socket.destroy(new Error("stopped"));
    signal.addEventListener("abort", stop, { once: true });
    try {
      const mask = (): Buffer => bytesOf(this.parts.random, MASK_BYTES);
      return await exchange(where, { ...upgraded, mask }, requestText(path));
    } finally {
      signal.removeEventListener("abort", stop);
      upgraded.socket.destroy();
    }
  }
}

interface Asked {
  readonly credential: Credential;
  readonly pod: PodPort;
  readonly path: string;
}

/** HTTP/1.0: one answer, not in pieces, and then the connection ends. */
function requestText(path: string): string {
  return `GET ${path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`;
}

/** By RFC 6455. */
const KEY_BYTES = 16;
const MASK_BYTES = 4;

/** Neither is a secret: they tell this exchange from what a proxy may have kept of another. */
function bytesOf(random: Random, count: number): Buffer {
  return Buffer.alloc(count, random.id());
}

interface Upgraded {
  readonly socket: Duplex;
  /** What came right behind the answer. */
  readonly head: Buffer;
}

/** @throws what the API server says instead of switching protocols */
function upgrade(
  where: string,
  {
    credential,
    pod,
    userAgent,
    random,
  }: Pick<Asked, "credential" | "pod"> & Pick<PodTunnelParts, "userAgent" | "random">,
  signal: AbortSignal,
): Promise<Upgraded> {
  const { origin, basePath, tls } = credential;
  const { namespace, name, port } = pod;
  const path = `${basePath}/api/v1/namespaces/${namespace}/pods/${name}/portforward?ports=${port}`;
  const headers = {
    ...headersOf(credential),
    "user-agent": userAgent,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": bytesOf(random, KEY_BYTES).toString("base64"),
    "sec-websocket-protocol": PROTOCOL,
  };
  const request = origin.startsWith("https:") ? tlsRequest : plainRequest;
  const { promise, resolve, reject } = Promise.withResolvers<Upgraded>();
  const sent = request(`${origin}${path}`, { ...tls, agent: false, headers, signal });
  sent.on("upgrade", (_, socket, head) => resolve({ socket, head }));
  sent.on("response", (response) => {
    bodyOf(response).then((body) => {
      const failure = failureOf(where, { status: response.statusCode ?? 0, headers: {}, body });
      reject(failure.code === "FERRY-K006" ? withRights(failure) : failure);
    }, reject);
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

/**
 * An upgrade is a GET that API servers from 1.35 on also want `create` for, and of that they say nothing in their refusal. Source:
 * kubernetes pkg/features/kube_features.go, AuthorizePodWebsocketUpgradeCreatePermission.
 */
function withRights({ code, message }: Error & { readonly code: ErrorCode }): RetryableError {
  return new RetryableError(code, `${message} (it takes get and create on pods/portforward)`);
}

function headersOf({ headers }: Credential): Readonly<Record<string, string>> {
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""] as const] : [],
  );
  return Object.fromEntries(pairs);
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function exchange(
  where: string,
  { socket, head, mask }: Upgraded & { readonly mask: () => Buffer },
  text: string,
): Promise<PodAnswer> {
  const send = (kind: Frame["kind"], payload: Buffer): void =>
    void socket.write(clientFrame(kind, payload, mask()));
  send("data", Buffer.concat([Buffer.of(CHANNELS.data), Buffer.from(text)]));
  const channels = new Channels();
  const reader = new FrameReader();
  const take = (chunk: Buffer): boolean =>
    reader.push(chunk, MAX_BYTES).some(({ kind, payload }) => {
      if (kind === "ping") send("pong", payload);
      if (kind === "data") channels.take(payload);
      return kind === "close";
    });
  let isOver = take(head);
  if (!isOver) {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      isOver = take(chunk);
      if (isOver || isWhole(channels.data)) break;
    }
  }
  const refused = channels.error.toString().trim();
  if (refused !== "") throw new RetryableError("FERRY-K001", `${where}: ${refused}`);
  return answerIn(where, channels.data);
}

/** Bytes of each channel, without the port that they begin with. */
class Channels {
  readonly #parts: Readonly<Record<number, Buffer[]>> = {
    [CHANNELS.data]: [],
    [CHANNELS.error]: [],
  };
  #bytes = 0;

  get data(): Buffer {
    return this.#of(CHANNELS.data);
  }

  get error(): Buffer {
    return this.#of(CHANNELS.error);
  }

  /** @throws RangeError when more has come than any status has */
  take(payload: Buffer): void {
    this.#bytes += payload.length;
    if (this.#bytes > MAX_BYTES) throw new RangeError("the answer is too long");
    this.#parts[payload[0] ?? -1]?.push(payload.subarray(1));
  }

  #of(channel: number): Buffer {
    return Buffer.concat(this.#parts[channel] ?? []).subarray(PORT_BYTES);
  }
}

const HEAD_END = "\r\n\r\n";

function headOf(data: Buffer): { readonly head: string; readonly body: Buffer } | undefined {
  const end = data.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const body = data.subarray(end + HEAD_END.length);
  return { head: data.subarray(0, end).toString("latin1"), body };
}

/** As long as it says that it is. */
function isWhole(data: Buffer): boolean {
  const { head = "", body } = headOf(data) ?? {};
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  return length !== undefined && body !== undefined && body.length >= Number(length);
}

function answerIn(where: string, data: Buffer): PodAnswer {
  const found = headOf(data);
  const status = /^HTTP\/1\.\d (\d{3})/.exec(found?.head ?? "")?.[1];
  if (found === undefined || status === undefined) throw unexpected(where, "no HTTP answer");
  return { status: Number(status), body: found.body.toString() };
}
