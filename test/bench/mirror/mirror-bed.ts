import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { locateBinaries } from "../../controlplane/binaries.js";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { supervise, type SupervisedProcess } from "../../controlplane/supervised-process.js";
import { configMap, CONFIG_MAPS, namespace, RULES, type Stored } from "./config-maps.js";
import { EtcdClient } from "./etcd-client.js";
import { MirrorProcess } from "./mirror-process.js";

/** How often a copy is looked at, ms: a count of 100,000 keys costs etcd some milliseconds. */
const LOOK_EVERY_MS = 50;

/** A filled source, and a destination that is new for every run. */
export class MirrorBed {
  #runs = 0;

  private constructor(
    readonly source: EtcdClient,
    readonly keys: number,
    private readonly sourceServer: EtcdServer,
    private readonly folder: string,
  ) {}

  static async start(keys: number): Promise<MirrorBed> {
    const server = await startEtcd({ name: "source" });
    const folder = mkdtempSync(join(tmpdir(), "svc-ferry-bench-"));
    const dist = join(import.meta.dirname, "../../../dist");
    cpSync(dist, join(folder, "dist"), { recursive: true });
    copyFileSync(join(dist, "../package.json"), join(folder, "package.json"));
    writeFileSync(join(folder, "rules.yaml"), RULES);
    const source = await EtcdClient.open(server.endpoint);
    await source.put(namespace());
    await source.putAll(configMaps(keys));
    return new MirrorBed(source, keys, server, folder);
  }

  async stop(): Promise<void> {
    await this.source.close();
    await this.sourceServer.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An empty destination for the time of `work`. */
  async withDestination<T>(
    work: (destination: EtcdClient, server: EtcdServer) => Promise<T>,
  ): Promise<T> {
    const server = await startEtcd({ name: "destination" });
    const destination = await EtcdClient.open(server.endpoint);
    try {
      return await work(destination, server);
    } finally {
      await destination.close();
      await server.stop();
    }
  }

  /** @param address another way to the destination */
  mirror(address: string, args: readonly string[] = []): MirrorProcess {
    this.#runs += 1;
    const etcds = ["--source-endpoints", this.source.address, "--dest-endpoints", address];
    const rules = ["--mirror-rule", join(this.folder, "rules.yaml"), "--link", "bench"];
    return MirrorProcess.start(
      join(this.folder, "dist/svc-ferry.js"),
      [...rules, ...etcds, ...args],
      join(this.folder, `mirror-${this.#runs}.log`),
    );
  }

  /** ms from the first ConfigMap that is seen in the destination to the last. */
  async copyMs(destination: EtcdClient): Promise<number> {
    let beganMs: number | undefined;
    for (;;) {
      const count = await destination.count(CONFIG_MAPS);
      const nowMs = performance.now();
      if (count > 0) beganMs ??= nowMs;
      if (count >= this.keys) return nowMs - (beganMs ?? nowMs);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** The bare loop (bare-loop.ts) over the same keys; resolves with its ms, measured in the same way. */
  async bareCopyMs(mode: "cold" | "live", destination: EtcdClient): Promise<number> {
    const loop = this.#bare("bare-loop.ts", [mode], destination);
    const tookMs = await this.copyMs(destination);
    await loop.exited;
    return tookMs;
  }

  /** The bare tail (bare-tail.ts), until it is stopped. */
  bareTail(destination: EtcdClient): SupervisedProcess {
    return this.#bare("bare-tail.ts", [], destination);
  }

  #bare(script: string, args: readonly string[], destination: EtcdClient): SupervisedProcess {
    const ends = [CONFIG_MAPS, `${CONFIG_MAPS.slice(0, -1)}0`];
    const loop = supervise(process.execPath, [
      ...["--import", "tsx", join(import.meta.dirname, script), ...args],
      ...[this.source.address, destination.address, ...ends],
    ]);
    loop.child.stderr?.pipe(process.stderr);
    return loop;
  }

  /** `etcdctl make-mirror`, which never ends by itself. */
  async makeMirrorMs(destination: EtcdClient): Promise<number> {
    const { etcdctl } = await locateBinaries();
    if (etcdctl === undefined) throw new Error("there is no etcdctl to compare with");
    const to = destination.address.replace("http://", "");
    const from = ["--endpoints", this.source.address];
    const mirror = supervise(etcdctl, [...from, "make-mirror", "--prefix", CONFIG_MAPS, to]);
    const tookMs = await this.copyMs(destination);
    await mirror.stop(0);
    return tookMs;
  }
}

function* configMaps(count: number): Generator<Stored> {
  for (let index = 0; index < count; index++) yield configMap(index);
}
