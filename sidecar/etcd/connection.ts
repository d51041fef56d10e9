/**
 * One gRPC channel to one endpoint, with what a caller of etcd needs to know of each call: was it sent, was it answered.
 *
 * gRPC's own retries are off: a write that is sent twice behind our back is one whose outcome nobody knows.
 */
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  connectivityState,
  Metadata,
} from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import { grpcFailure, type GrpcFailure } from "./errors.js";
import { EtcdError } from "./etcd.js";
import type { Writer } from "./protobuf.js";

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
  }

  /** @throws EtcdError unavailable when there is no connection within the dial timeout */
  async ready(): Promise<void> {
    const { address, dialTimeoutMs } = this.options;
    if (this.#client.getChannel().getConnectivityState(true) === connectivityState.READY) return;
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(this.clock.now() + dialTimeoutMs, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(new EtcdError("unavailable", `no connection to ${address}`, { cause: error }));
      });
    });
  }

  /**
   * @throws CallFailed with gRPC's status
   * @throws the signal's reason when it aborts: the outcome is then unknown to the caller, who wanted that
   */
  async unary<T>(call: UnaryCall<T>): Promise<T> {
    const { method, request, decode, token, timeoutMs, signal } = call;
    signal.throwIfAborted();
    this.#calls++;
    try {
      return await new Promise<T>((resolve, reject) => {
        const onAbort = (): void => grpc.cancel();
        const deadline = this.clock.now() + timeoutMs;
        const grpc = this.#client.makeUnaryRequest(
          path(method),
          finish,
          decode,
          request,
          metadata(token),
          { deadline },
          (error, answer) => {
            signal.removeEventListener("abort", onAbort);
            if (error === null && answer !== undefined) resolve(answer);
            else if (signal.aborted) reject(signal.reason);
            else reject(new CallFailed(grpcFailure(error)));
          },
        );
        signal.addEventListener("abort", onAbort);
      });
    } finally {
      this.#ended();
    }
  }

  /** Open until it ends or is cancelled. Reading it throws gRPC's error. */
  stream<T>(method: Method, decode: (buffer: Buffer) => T, token: string | undefined): Stream<T> {
    this.#calls++;
    const stream = this.#client.makeBidiStreamRequest(
      path(method),
      finish,
      decode,
      metadata(token),
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

/** A member that has lost its leader says so instead of staying silent. Source: etcd client/v3 WithRequireLeader. */
function metadata(token: string | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set("hasleader", "true");
  if (token !== undefined) metadata.set("token", token);
  return metadata;
}
