/**
 * The Etcd of the sidecar, on gRPC channels of its own. Why not npm etcd3's: docs/decisions/0016-etcd-client.md.
 */
import type { Random } from "../../src/ports/random.js";
import { Calls } from "./calls.js";
import { keepLeaseAlive } from "./keep-alive.js";
import { Endpoints } from "./endpoints.js";
import {
  type Etcd,
  type EtcdCallOptions,
  EtcdError,
  type EtcdHeader,
  type EtcdWatch,
  type EtcdWatchOptions,
  type GrantedLease,
  type MemberStatus,
  type RangeOptions,
  type RangeResult,
  type Txn,
  type TxnOp,
  type TxnResult,
} from "./etcd.js";
import { ClusterIdentity } from "./identity.js";
import { type EtcdOptions, MIN_KEEPALIVE_MS, parseEndpoint } from "./options.js";
import * as requests from "./requests.js";
import * as responses from "./responses.js";
import { CertificateExchange, type ExchangeDeps } from "./certificate-exchange.js";
import { readTls, secureCredentials, type TlsContent } from "./tls-files.js";
import { Token } from "./token.js";
import { watch } from "./watch.js";

export interface EtcdDeps extends ExchangeDeps {
  readonly random: Random;
  /** Called for each key that is no UTF-8 and was passed over. */
  readonly onOddKey?: () => void;
}

/**
 * Connects to nobody yet.
 * @throws Error for an endpoint that is none, and for certificates that cannot be read
 */
export async function openEtcd(options: EtcdOptions, deps: EtcdDeps): Promise<Etcd> {
  if (options.keepaliveTimeMs < MIN_KEEPALIVE_MS) {
    const { name, keepaliveTimeMs } = options;
    deps.log.warn(
      { etcd: name, keepaliveTimeMs },
      "keepalive time raised to what etcd permits, 5 s",
    );
  }
  const secure = options.endpoints.some(
    (text) => parseEndpoint(text, options.insecureTransport).secure,
  );
  const content = secure ? await readTls(options.tls, deps.readFile) : undefined;
  return new EtcdClient(options, deps, content);
}

class EtcdClient implements Etcd {
  readonly name: string;
  readonly #endpoints: Endpoints;
  readonly #calls: Calls;
  readonly #closed = new AbortController();
  readonly #following: Promise<void>;
  readonly #onOddKey: () => void;

  constructor(
    private readonly options: EtcdOptions,
    private readonly deps: EtcdDeps,
    content: TlsContent | undefined,
  ) {
    this.name = options.name;
    const credentials = content && secureCredentials(content, options.tls.skipVerify);
    this.#endpoints = new Endpoints(options, deps, credentials);
    this.#calls = new Calls({
      endpoints: this.#endpoints,
      token: new Token(options),
      identity: new ClusterIdentity(options.expectedClusterId),
      timeoutMs: options.callTimeoutMs,
      clock: deps.clock,
      random: deps.random,
    });
    this.#onOddKey = deps.onOddKey ?? (() => {});
    const { signal } = this.#closed;
    const tls = { name: this.name, files: options.tls, endpoints: this.#endpoints };
    this.#following =
      content === undefined
        ? Promise.resolve()
        : new CertificateExchange(tls, deps, content).follow(signal);
  }

  async range(options: RangeOptions, { signal }: EtcdCallOptions): Promise<RangeResult> {
    return this.#calls.make({
      method: "KV/Range",
      effect: "read",
      request: requests.rangeRequest(options),
      decode: (buffer) => responses.rangeResponse(buffer, this.#onOddKey),
      signal,
    });
  }

  async txn(txn: Txn, { signal }: EtcdCallOptions): Promise<TxnResult> {
    const writes = txn.then.some(changes) || txn.otherwise.some(changes);
    return this.#calls.make({
      method: "KV/Txn",
      effect: writes ? "write" : "read",
      request: requests.txnRequest(txn),
      decode: (buffer) => responses.txnResponse(buffer, this.#onOddKey),
      signal,
    });
  }

  watch(options: EtcdWatchOptions): EtcdWatch {
    return watch(options, {
      calls: this.#calls,
      clock: this.deps.clock,
      random: this.deps.random,
      log: this.deps.log,
      onOddKey: this.#onOddKey,
    });
  }

  async revision(call: EtcdCallOptions): Promise<EtcdHeader> {
    return (await this.range({ key: this.options.readableKey, countOnly: true }, call)).header;
  }

  async grantLease(ttlSeconds: number, { signal }: EtcdCallOptions): Promise<GrantedLease> {
    const { id, ttlSeconds: granted } = await this.#calls.make({
      method: "Lease/LeaseGrant",
      effect: "write",
      request: requests.leaseGrantRequest(ttlSeconds),
      decode: responses.leaseResponse,
      signal,
    });
    return { id, ttlSeconds: granted };
  }

  async keepAlive(lease: bigint, { signal }: EtcdCallOptions): Promise<number> {
    return keepLeaseAlive(lease, this.#calls.deps, signal);
  }

  async revokeLease(lease: bigint, { signal }: EtcdCallOptions): Promise<void> {
    await this.#calls.make({
      method: "Lease/LeaseRevoke",
      effect: "write",
      request: requests.leaseRequest(lease),
      decode: responses.headerOnly,
      signal,
    });
  }

  async members({ signal }: EtcdCallOptions): Promise<readonly MemberStatus[]> {
    const answers = await Promise.allSettled(
      this.#endpoints.inOrder().map(async (member) =>
        this.#calls.on(member, {
          method: "Maintenance/Status",
          effect: "read",
          request: requests.statusRequest(),
          decode: (buffer) => responses.statusResponse(buffer, member.address),
          signal,
        }),
      ),
    );
    signal.throwIfAborted();
    const changed = answers.find(
      (answer) =>
        answer.status === "rejected" &&
        answer.reason instanceof EtcdError &&
        answer.reason.kind === "cluster-changed",
    );
    const statuses = answers.flatMap((answer) =>
      answer.status === "fulfilled" ? [answer.value] : [],
    );
    const failed = answers.find((answer) => answer.status === "rejected");
    const reason = changed ?? (statuses.length === 0 ? failed : undefined);
    if (reason?.status === "rejected") throw reason.reason;
    return statuses;
  }

  async compact(revision: bigint, { signal }: EtcdCallOptions): Promise<void> {
    await this.#calls.make({
      method: "KV/Compact",
      effect: "write",
      request: requests.compactionRequest(revision),
      decode: responses.headerOnly,
      signal,
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#following;
    this.#endpoints.close();
  }
}

function changes({ kind }: TxnOp): boolean {
  return kind !== "get";
}
