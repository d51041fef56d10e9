import { openEncryption, PLAIN } from "../../sidecar/encryption/encryption.js";
import type { ApiWriter } from "../../sidecar/api/api-writer.js";
import { KubeApiWriter } from "../../sidecar/api/kube-api-writer.js";
import type { Encryption } from "../../sidecar/encryption/transformer.js";
import type { Etcd } from "../../sidecar/etcd/etcd.js";
import { DEFAULT_POLICY, type LinkPolicy } from "../../sidecar/link/policy.js";
import { Mirror } from "../../sidecar/mirror.js";
import type { MirrorStatus } from "../../sidecar/status/mirror-status.js";
import { openCluster, type OpenCluster } from "../../src/kube/open-cluster.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { entriesOf } from "../fixtures/encryption.js";
import { rulesetOf } from "../fixtures/mirror-rules.js";
import { openRealEtcd } from "./open-etcd.js";
import { waitFor } from "./wait-for.js";

/** One side: where its etcd is, and how its API servers keep things there. */
interface MirrorSide extends Pick<ClusterConnection, "etcd"> {
  /** Default "/registry". */
  readonly prefix?: string;
  /** YAML of an EncryptionConfiguration; default: none. */
  readonly encryption?: string;
}

export interface MirrorLinkOptions {
  readonly link: string;
  readonly source: MirrorSide;
  readonly destination: MirrorSide;
  /** YAML. */
  readonly rules: string;
  readonly policy?: Partial<LinkPolicy>;
  /** The way to the destination's API server; undefined: there is none. */
  readonly api?: Pick<ClusterConnection, "kubeconfigPath" | "context">;
}

const FOREVER = new AbortController().signal;
/** A term that ends with its process gives the fence back; after a crash the next one waits as long as this. */
const TTL_SECONDS = 3;
/** A first copy may be long. */
const START_MS = 40_000;

/** The mirror of one link in this process, on real servers; it can be stopped and started again. */
export class MirrorLink {
  #running: Running | undefined;

  constructor(private readonly options: MirrorLinkOptions) {}

  get status(): MirrorStatus {
    if (this.#running === undefined) throw new Error("the mirror does not run");
    return this.#running.mirror.status;
  }

  /** Resolves when it follows the source. */
  async start(): Promise<void> {
    this.#running = await Running.open(this.options);
    await waitFor(() => this.status.activity === "following", {
      what: "the mirror to follow",
      timeoutMs: START_MS,
    });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Compacts the source's etcd up to now, whether the mirror runs or not. */
  async compactSource(): Promise<void> {
    const etcd = await openRealEtcd(this.options.source.etcd);
    const { revision } = await etcd.revision({ signal: FOREVER });
    await etcd.compact(revision, { signal: FOREVER });
    await etcd.close();
  }

  /** Resolves when everything that the source holds now has been applied or is owed. */
  async caughtUp(): Promise<void> {
    const { source } = this.#open;
    const { revision } = await source.revision({ signal: FOREVER });
    await waitFor(() => (this.status.revisionApplied ?? 0n) >= revision, {
      what: `revision ${revision} to be applied`,
    });
  }

  /** Keys below a prefix of the destination, whoever wrote them. */
  async destinationKeys(prefix: string): Promise<readonly string[]> {
    return keysOf(this.#open.destination, prefix);
  }

  /** What is owed: path and code. */
  async debts(): Promise<Readonly<Record<string, string>>> {
    const key = `/svc-ferry/${this.options.link}/debt/`;
    const rangeEnd = `${key.slice(0, -1)}0`;
    const { kvs } = await this.#open.destination.range({ key, rangeEnd }, { signal: FOREVER });
    return Object.fromEntries(
      kvs.map((kv) => [kv.key.slice(key.length), kv.value.toString().split(" ")[1] ?? ""]),
    );
  }

  /** Paths that the ledger names, in key order. */
  async owned(): Promise<readonly string[]> {
    const prefix = `/svc-ferry/${this.options.link}/own/`;
    return (await this.destinationKeys(prefix)).map((key) => key.slice(prefix.length));
  }

  get etcds(): { readonly source: Etcd; readonly destination: Etcd } {
    return this.#open;
  }

  get #open(): Running {
    if (this.#running === undefined) throw new Error("the mirror does not run");
    return this.#running;
  }
}

async function keysOf(etcd: Etcd, prefix: string): Promise<readonly string[]> {
  const rangeEnd = `${prefix.slice(0, -1)}0`;
  const page = await etcd.range({ key: prefix, rangeEnd, keysOnly: true }, { signal: FOREVER });
  return page.kvs.map(({ key }) => key);
}

class Running {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly mirror: Mirror;

  private constructor(
    readonly source: Etcd,
    readonly destination: Etcd,
    private readonly cluster: OpenCluster | undefined,
    options: MirrorLinkOptions,
  ) {
    const clock = new SystemClock();
    const { link, policy } = options;
    const api: ApiWriter | undefined = cluster && new KubeApiWriter(cluster, link, clock);
    this.mirror = new Mirror({
      link,
      identity: "test",
      source,
      destination,
      sourcePrefix: options.source.prefix ?? "/registry",
      destinationPrefix: options.destination.prefix ?? "/registry",
      sourceEncryption: encryptionOf(options.source),
      destinationEncryption: encryptionOf(options.destination),
      rules: rulesetOf(options.rules, { destinationApi: api !== undefined }),
      policy: { ...DEFAULT_POLICY, ...policy },
      api,
      clock,
      random: new SystemRandom(),
      log: SILENT_LOG,
      ttlSeconds: TTL_SECONDS,
    });
    this.#ended = this.mirror.run(this.#stop.signal);
    // Rejects in a test only when it ended by itself: `stop` tells.
    this.#ended.catch(() => {});
  }

  static async open(options: MirrorLinkOptions): Promise<Running> {
    const [source, destination] = await Promise.all([
      openRealEtcd(options.source.etcd),
      openRealEtcd(options.destination.etcd),
    ]);
    return new Running(source, destination, await openApi(options.api), options);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the test ends it"));
    try {
      await this.#ended;
    } finally {
      await Promise.all([this.source.close(), this.destination.close(), this.cluster?.close()]);
    }
  }
}

async function openApi(api: MirrorLinkOptions["api"]): Promise<OpenCluster | undefined> {
  if (api === undefined) return undefined;
  return openCluster(
    {
      access: { kind: "kubeconfig", path: api.kubeconfigPath, context: api.context },
      maxConnections: 8,
    },
    { clock: new SystemClock(), random: new SystemRandom(), log: SILENT_LOG, env: {} },
  );
}

function encryptionOf({ encryption }: MirrorSide): Encryption {
  return encryption === undefined
    ? PLAIN
    : openEncryption(entriesOf(encryption), new SystemClock());
}
