/** `svc-ferry mirror` as people type it, as processes of the real bundle between two etcds, each of which may be either side. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Etcd, prefixEnd, type TxnOp } from "../../sidecar/etcd/etcd.js";
import { transaction } from "../../sidecar/etcd/transaction.js";
import { type EtcdServer, startEtcd } from "../controlplane/etcd-server.js";
import { type FerryProcess, startFerry, type EndedProcess } from "./ferry-process.js";
import { openRealEtcd } from "./open-etcd.js";
import { waitFor } from "./wait-for.js";

/** One key below `/registry/`: what is in it, and by which write. */
export interface Held {
  readonly object: {
    readonly metadata: { readonly uid: string };
    readonly data?: unknown;
  };
  readonly revision: bigint;
}

const PREFIX = "/registry/";
const FOREVER = new AbortController().signal;

/** One cluster's etcd. */
export class Side {
  private constructor(
    readonly server: EtcdServer,
    private readonly etcd: Etcd,
  ) {}

  static async start(name: string): Promise<Side> {
    const server = await startEtcd({ name });
    return new Side(server, await openRealEtcd(server.endpoint));
  }

  /** For a command that takes this side as its source. */
  get asSource(): string {
    return `--source-endpoints=${this.server.endpoint}`;
  }

  get asDestination(): string {
    return `--dest-endpoints=${this.server.endpoint}`;
  }

  /** All writes in one transaction. */
  async write(...ops: readonly TxnOp[]): Promise<void> {
    await this.etcd.txn(transaction([], ops, []), { signal: FOREVER });
  }

  /** What its Kubernetes holds, by path. */
  async objects(): Promise<ReadonlyMap<string, Held>> {
    const kvs = await this.#below(PREFIX);
    return new Map(
      kvs.map(({ key, value, modRevision }) => [
        key.slice(PREFIX.length),
        { object: JSON.parse(value.toString()) as Held["object"], revision: modRevision },
      ]),
    );
  }

  /** Every key, whoever's. */
  async keys(): Promise<readonly string[]> {
    return (await this.#below("/")).map(({ key }) => key);
  }

  /** Keys of the mirror's books. */
  async books(link: string): Promise<readonly string[]> {
    return (await this.#below(`/svc-ferry/${link}/`)).map(({ key }) => key);
  }

  async stop(): Promise<void> {
    await this.etcd.close();
    await this.server.stop();
  }

  async #below(prefix: string) {
    const range = { key: prefix, rangeEnd: prefixEnd(prefix) };
    return (await this.etcd.range(range, { signal: FOREVER })).kvs;
  }
}

/** A mirror that runs until it is told to stop. */
export interface RunningProcess {
  readonly process: FerryProcess;
  readonly url: string;
}

export class MirrorCli {
  readonly #running = new Set<FerryProcess>();

  private constructor(
    readonly a: Side,
    readonly b: Side,
    private readonly folder: string,
  ) {}

  /** @param rules content of the rules file that every command reads */
  static async start(rules: string): Promise<MirrorCli> {
    const [a, b] = await Promise.all([Side.start("a"), Side.start("b")]);
    const folder = await mkdtemp(join(tmpdir(), "svc-ferry-mirror-"));
    const cli = new MirrorCli(a, b, folder);
    await cli.rewrite(rules);
    return cli;
  }

  /** The file of rules says something else from now on. */
  async rewrite(rules: string): Promise<void> {
    await writeFile(this.rulesPath, rules);
  }

  /** A command that ends by itself: `command("promote --drain", a.asSource, b.asDestination)`. */
  async command(command: string, ...flags: readonly string[]): Promise<EndedProcess> {
    const rules = command.startsWith("status") ? [] : [`--mirror-rule=${this.rulesPath}`];
    return startFerry({ args: ["mirror", ...command.split(" "), ...rules, ...flags] }).ended();
  }

  /** Resolves when its page answers. */
  async run(...flags: readonly string[]): Promise<RunningProcess> {
    const own = ["--bind-address=127.0.0.1", "--bind-port=0"];
    const rules = `--mirror-rule=${this.rulesPath}`;
    const process = startFerry({ args: ["mirror", "run", rules, ...own, ...flags] });
    this.#running.add(process);
    return { process, url: `http://127.0.0.1:${await process.adminPort()}` };
  }

  /** Resolves when it follows the source. */
  async follow(...flags: readonly string[]): Promise<RunningProcess> {
    const one = await this.run(...flags);
    await waitFor(async () => (await fetch(`${one.url}/ready`)).ok, { what: "a mirror at work" });
    return one;
  }

  /** Resolves when a mirror's `/status` says this of its activity. */
  async until(activity: string, { url }: RunningProcess): Promise<void> {
    await waitFor(async () => (await activityAt(url)) === activity, { what: activity });
  }

  /** As `svc-ferry mirror status` of that one. */
  status({ url }: RunningProcess, ...flags: readonly string[]): Promise<EndedProcess> {
    return this.command("status", `--status-url=${url}/status`, ...flags);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map(async (process) => process.stop()));
    await Promise.all([this.a.stop(), this.b.stop()]);
    await rm(this.folder, { recursive: true });
  }

  get rulesPath(): string {
    return join(this.folder, "rules.yaml");
  }
}

async function activityAt(url: string): Promise<string> {
  const report = (await (await fetch(`${url}/status`)).json()) as { readonly activity: string };
  return report.activity;
}
