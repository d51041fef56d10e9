/** Two real etcds, and mirrors between them in this process. */
import { PLAIN } from "../../sidecar/encryption/encryption.js";
import { type Etcd, type TxnOp, prefixEnd } from "../../sidecar/etcd/etcd.js";
import { transaction } from "../../sidecar/etcd/transaction.js";
import type { MirrorOptions } from "../../sidecar/link/mirror-options.js";
import { DEFAULT_POLICY, type LinkPolicy } from "../../sidecar/link/policy.js";
import { Mirror } from "../../sidecar/mirror.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { startEtcd, type EtcdServer } from "../controlplane/etcd-server.js";
import { SILENT_LOG } from "../fakes/silent-log.js";
import { rulesetOf } from "../fixtures/mirror-rules.js";
import { openRealEtcd } from "./open-etcd.js";
import { waitFor } from "./wait-for.js";

const PREFIX = "/registry/";
const FOREVER = new AbortController().signal;

export interface RunningMirror {
  readonly mirror: Mirror;
  /** Rejects when it ends by itself. */
  readonly running: Promise<void>;
  stop(): Promise<void>;
}

export interface PairMirrorOptions extends Partial<Omit<MirrorOptions, "rules" | "policy">> {
  readonly rules: string;
  readonly policy?: Partial<LinkPolicy>;
}

export class MirrorPair {
  readonly #running: RunningMirror[] = [];

  private constructor(
    private readonly servers: readonly EtcdServer[],
    readonly source: Etcd,
    readonly destination: Etcd,
  ) {}

  /** Servers of their own. @param given endpoints of sides that the caller stops himself */
  static async start(
    given: { readonly source?: readonly string[]; readonly destination?: readonly string[] } = {},
  ): Promise<MirrorPair> {
    const servers: EtcdServer[] = [];
    const side = async (name: "source" | "destination"): Promise<Etcd> => {
      const endpoints = given[name];
      if (endpoints !== undefined) return openRealEtcd(endpoints, { name });
      const server = await startEtcd({ name });
      servers.push(server);
      return openRealEtcd(server.endpoint, { name });
    };
    const [source, destination] = await Promise.all([side("source"), side("destination")]);
    return new MirrorPair(servers, source, destination);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
    await Promise.all([this.source.close(), this.destination.close()]);
    await Promise.all(this.servers.map((one) => one.stop()));
  }

  mirror({ rules, policy, ...more }: PairMirrorOptions): RunningMirror {
    const mirror = new Mirror({
      link: "east",
      identity: "pod",
      source: this.source,
      destination: this.destination,
      sourcePrefix: PREFIX,
      destinationPrefix: PREFIX,
      sourceEncryption: PLAIN,
      destinationEncryption: PLAIN,
      api: undefined,
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: SILENT_LOG,
      ttlSeconds: 3,
      ...more,
      rules: rulesetOf(rules),
      policy: { ...DEFAULT_POLICY, maxWritesPerSecond: undefined, ...policy },
    });
    const end = new AbortController();
    const running = mirror.run(end.signal);
    // Whoever waits for the mirror sees what it says; here it only must not end the test's process.
    running.catch(() => undefined);
    const stop = async (): Promise<void> => {
      end.abort(new Error("the test is over"));
      await running.catch(() => undefined);
    };
    const one = { mirror, running, stop };
    this.#running.push(one);
    return one;
  }

  /** Starts one and waits until it follows. */
  async follow(options: PairMirrorOptions): Promise<RunningMirror> {
    const one = this.mirror(options);
    await waitFor(() => one.mirror.status.activity === "following", { what: "the tail" });
    return one;
  }

  /** Waits until the mirror has applied everything that the source holds now. */
  async applied({ mirror }: RunningMirror): Promise<void> {
    const { revision } = await this.source.revision({ signal: FOREVER });
    // A revision of another key does not come by the watch: one more write below the prefix does.
    await this.put("configmaps/marks/mark", { data: { at: String(revision) } });
    await waitFor(() => (mirror.status.revisionApplied ?? 0n) > revision, { what: "the mark" });
  }

  put(path: string, fields: Readonly<Record<string, unknown>> = {}): Promise<bigint> {
    return this.write(this.source, put(path, fields));
  }

  delete(path: string): Promise<bigint> {
    return this.write(this.source, { kind: "delete", key: PREFIX + path });
  }

  async write(etcd: Etcd, ...ops: readonly TxnOp[]): Promise<bigint> {
    const { header } = await etcd.txn(transaction([], ops, []), { signal: FOREVER });
    return header.revision;
  }

  /** Path → data, and the mod_revision of each key. */
  async objects(
    etcd: Etcd = this.destination,
  ): Promise<ReadonlyMap<string, { readonly data: unknown; readonly revision: bigint }>> {
    const { kvs } = await etcd.range(
      { key: PREFIX, rangeEnd: prefixEnd(PREFIX) },
      { signal: FOREVER },
    );
    return new Map(
      kvs.map(({ key, value, modRevision }) => [
        key.slice(PREFIX.length),
        { data: JSON.parse(value.toString()).data, revision: modRevision },
      ]),
    );
  }
}

/** A write of an object as JSON; its kind, name and namespace come from its path. */
export function put(path: string, fields: Readonly<Record<string, unknown>> = {}): TxnOp {
  const parts = path.split("/");
  const kind = parts[0] === "namespaces" ? "Namespace" : "ConfigMap";
  const { labels = {}, ...rest } = fields;
  const metadata = {
    name: parts.at(-1),
    ...(parts.length > 2 ? { namespace: parts[1] } : {}),
    uid: `uid-${path}`,
    labels,
  };
  const text = `${JSON.stringify({ kind, apiVersion: "v1", metadata, ...rest })}\n`;
  return { kind: "put", key: PREFIX + path, value: Buffer.from(text) };
}
