/**
 * One gRPC channel to one endpoint, with what a caller of etcd needs to know of each call: was it sent, was it answered.
 *
 * gRPC's own retries are off: a write that is sent twice behind our back is one whose outcome nobody knows.
 */
import {
  type ChannelCredentials,
  type ChannelInterface,
  Client,
  type ClientDuplexStream,
  connectivityState,
  Metadata,
  status,
  type StatusObject,
} from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import { Cancellations } from "./cancellations.js";
import type { GrpcFailure } from "./errors.js";
import { EtcdError } from "./etcd.js";
import type { Writer } from "./protobuf-writer.js";

/** A method of etcd's services, "KV/Range". */
export type Method =
  | "KV/Range"
  | "KV/Txn"
  | "KV/Compact"
  | "Lease/LeaseGrant"
  | "Lease/LeaseRevoke"
  | "Lease/LeaseKeepAlive"
  | "Watch/Watch"
  | "Maintenance/Status"
  | "Auth/Authenticate";

export interface ConnectionOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly dialTimeoutMs: number;
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
}

export interface UnaryCall<T> {
  readonly method: Method;
  readonly request: Writer;
  readonly decode: (buffer: Buffer) => T;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Messages both ways; what arrives is read with `for await`, at most 16 ahead of the reader. */
export type Stream<T> = ClientDuplexStream<Writer, T>;

/** A page of 1,000 of the largest objects would be 1.4 GB: pages are sized by the caller, this stops a mistake. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;

/** gRPC's answer to a call; thrown inside the adapter only, before it becomes an EtcdError. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  constructor(readonly failure: GrpcFailure) {
    super(failure.details);
  }
}

export class Connection {
  readonly #client: Client;
  readonly #channel: ChannelInterface;
  readonly #cancellations = new Cancellations();
  /** Of the newest token. Checked when it is made, and copied by gRPC for each call. */
  #metadata: { readonly token: string | undefined; readonly content: Metadata } | undefined;
  #calls = 0;
  #retired = false;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly clock: Clock,
  ) {
    this.#client = new Client(options.address, options.credentials, {
      "grpc.keepalive_time_ms": options.keepaliveTimeMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      // Pings without calls are strikes to etcd, as it does not permit them.
      "grpc.keepalive_permit_without_calls": 0,
      "grpc.max_receive_message_length": MAX_RECEIVE_BYTES,
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2_000,
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      // Two connections to one endpoint are two, also with the same credentials.
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#channel = this.#client.getChannel();
  }

  /** @throws EtcdError unavailable when there is no connection within the dial timeout */
  async ready(): Promise<void> {
    const { address, dialTimeoutMs } = this.options;
    if (this.#channel.getConnectivityState(true) === connectivityState.READY) return;
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(this.clock.now() + dialTimeoutMs, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(new EtcdError("unavailable", `no connection to ${address}`, { cause: error }));
      });
    });
  }

  /** Calls can be sent at once: `ready` need not be waited for. */
  get isReady(): boolean {
    return this.#channel.getConnectivityState(false) === connectivityState.READY;
  }

  /**
   * NB: on the channel itself. The client's own method makes an error with a stack, an emitter and a chain of interceptors for each
   * call, a third of what a call costs.
   * @throws CallFailed with gRPC's status; EtcdError unavailable when the connection was closed
   * @throws the signal's reason when it aborts: the outcome is then unknown to the caller, who wanted that
   */
  unary<T>(call: UnaryCall<T>): Promise<T> {
    const { method, request, token, timeoutMs, signal } = call;
    return new Promise<T>((resolve, reject) => {
      signal.throwIfAborted();
      const deadline = this.clock.now() + timeoutMs;
      const grpc = this.#newCall(method, deadline);
      this.#calls++;
      const cancel = (): void => grpc.cancelWithStatus(status.CANCELLED, "cancelled by its caller");
      const forget = this.#cancellations.add(signal, cancel);
      const answer = new Answer(call, (why) => grpc.cancelWithStatus(status.INTERNAL, why));
      grpc.start(this.#metadataFor(token), {
        onReceiveMetadata: () => {},
        onReceiveMessage: (message: Buffer) => answer.take(message),
        onReceiveStatus: (ended) => {
          forget();
          this.#ended();
          answer.settle(ended, resolve, reject);
        },
      });
      grpc.sendMessageWithContext({}, request.finish());
      grpc.startRead();
      grpc.halfClose();
    });
  }

  /** A connection that was retired is closed, and somebody may have chosen it just before. */
  #newCall(method: Method, deadline: number): ReturnType<ChannelInterface["createCall"]> {
    try {
      return this.#channel.createCall(path(method), deadline, undefined, null, undefined);
    } catch (cause) {
      const { address } = this.options;
      throw new EtcdError("unavailable", `the connection to ${address} is closed`, { cause });
    }
  }

  /** Open until it ends or is cancelled. Reading it throws gRPC's error. */
  stream<T>(method: Method, decode: (buffer: Buffer) => T, token: string | undefined): Stream<T> {
    this.#calls++;
    const stream = this.#client.makeBidiStreamRequest(
      path(method),
      finish,
      decode,
      this.#metadataFor(token),
    );
    // Not "close": a stream that was cancelled with unread messages never closes.
    stream.once("status", () => this.#ended());
    return stream;
  }

  /** Gets no new calls from now on; the channel closes with its last one. A watch stays on it until its stream ends. */
  retire(): void {
    this.#retired = true;
    this.#closeIfOver();
  }

  /** Ends the calls that are under way, too. */
  close(): void {
    this.#client.close();
  }

  #metadataFor(token: string | undefined): Metadata {
    if (this.#metadata === undefined || this.#metadata.token !== token) {
      this.#metadata = { token, content: metadata(token) };
    }
    return this.#metadata.content;
  }

  #ended(): void {
    this.#calls--;
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#retired && this.#calls === 0) this.#client.close();
  }
}

function path(method: Method): string {
  return `/etcdserverpb.${method}`;
}

function finish(request: Writer): Buffer {
  return request.finish();
}

/** The one message of a unary call, and how the call ended. */
class Answer<T> {
  #message: { readonly content: T } | undefined;

  constructor(
    private readonly call: Pick<UnaryCall<T>, "decode" | "signal">,
    private readonly refuse: (why: string) => void,
  ) {}

  take(message: Buffer): void {
    try {
      this.#message = { content: this.call.decode(message) };
    } catch (error) {
      this.refuse(`the answer cannot be read: ${String(error)}`);
    }
  }

  settle(ended: StatusObject, resolve: (answer: T) => void, reject: (error: unknown) => void) {
    const { signal } = this.call;
    if (ended.code === status.OK && this.#message !== undefined) resolve(this.#message.content);
    else if (signal.aborted) reject(signal.reason);
    else if (ended.code !== status.OK) reject(new CallFailed(failureOf(ended)));
    else reject(new CallFailed({ code: status.INTERNAL, details: "no message received" }));
  }
}

/**
 * Without what else comes with a status: whoever keeps the failure keeps nothing of the call. NB: where grpc-js makes a status of what
 * one of its own parts threw (an answer that claims to be compressed), there are no details, whatever the type says.
 */
function failureOf({ code, details }: Partial<StatusObject>): GrpcFailure {
  return { code: code ?? status.UNKNOWN, details: details ?? "" };
}

/** A member that has lost its leader says so instead of staying silent. Source: etcd client/v3 WithRequireLeader. */
function metadata(token: string | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set("hasleader", "true");
  if (token !== undefined) metadata.set("token", token);
  return metadata;
}
