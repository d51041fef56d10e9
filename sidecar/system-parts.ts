/** The real parts: etcd over gRPC, keys of encryption from files, the pipeline. */
import { readFile } from "node:fs/promises";
import type { DestinationApi, EtcdAccess, MirrorConfig } from "../src/config/mirror-config.js";
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { Metrics } from "../src/ports/metrics.js";
import type { Random } from "../src/ports/random.js";
import { openEtcd } from "./etcd/client.js";
import type { Etcd } from "./etcd/etcd.js";
import { ObservedEtcd } from "./etcd/observed-etcd.js";
import { ETCD_DEFAULTS, type EtcdUser } from "./etcd/options.js";
import { readEncryption } from "./files/encryption-file.js";
import type { LinkRunner, LinkRunnerParts } from "./link/link-runner.js";
import { Mirror } from "./mirror.js";
import type { MirrorParts, OpenApi } from "./mirror-parts.js";

export interface SystemPartsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** undefined: nobody looks at metrics of a command. */
  readonly metrics?: Metrics | undefined;
  /** undefined: for the commands that need no link. */
  readonly config?: MirrorConfig | undefined;
  /** From the composition root, which may load `src/kube`; undefined: what needs an API server stays owed. */
  readonly openApi?: ((access: DestinationApi) => Promise<OpenApi>) | undefined;
}

export class SystemParts implements MirrorParts {
  constructor(private readonly options: SystemPartsOptions) {}

  async openEtcd(access: EtcdAccess): Promise<Etcd> {
    const { clock, random, log, metrics } = this.options;
    const { name, endpoints, tls, user } = access;
    const etcd = await openEtcd(
      {
        name,
        endpoints,
        insecureTransport: tls === undefined,
        tls: {
          ca: tls?.caFile,
          cert: tls?.client?.certFile,
          key: tls?.client?.keyFile,
          skipVerify: tls?.skipVerify ?? false,
        },
        user: user && (await this.#userOf(user)),
        // A user of the source needs no right on our books.
        readableKey: name === "source" ? `${access.kubePrefix}/` : ETCD_DEFAULTS.readableKey,
        dialTimeoutMs: access.dialTimeoutMs,
        keepaliveTimeMs: access.keepAliveTimeMs,
        keepaliveTimeoutMs: access.keepAliveTimeoutMs,
        callTimeoutMs: ETCD_DEFAULTS.callTimeoutMs,
      },
      { clock, random, log: log.child("etcd"), readFile: (path) => readFile(path) },
    );
    return metrics === undefined ? etcd : new ObservedEtcd({ etcd, side: name, clock, metrics });
  }

  /** @throws Error when there is no password to begin with */
  async #userOf({ name, passwordFile }: NonNullable<EtcdAccess["user"]>): Promise<EtcdUser> {
    // As with kubectl create secret --from-file: an editor's line end is no part of a password.
    const password = async (): Promise<string> =>
      (await this.readFile(passwordFile)).replace(/\r?\n$/, "");
    await password();
    return { name, password };
  }

  readEncryption(text: string | undefined, path: string): ReturnType<typeof readEncryption> {
    return readEncryption(text, path, this.options.clock);
  }

  async openApi(): Promise<OpenApi | undefined> {
    const { config, log, openApi } = this.options;
    if (config?.destinationApi === undefined) return undefined;
    if (openApi !== undefined) return openApi(config.destinationApi);
    const { kubeconfig } = config.destinationApi;
    log.error({ kubeconfig }, "the destination's API server is not used by this version");
    return undefined;
  }

  makeLink(parts: LinkRunnerParts): LinkRunner {
    const { config, clock, random, log } = this.options;
    if (config === undefined) throw new TypeError("a link needs the whole configuration");
    const { writing } = config;
    return new Mirror({
      ...parts,
      link: config.link,
      identity: `${config.podName}/${random.id()}`,
      sourcePrefix: config.source.kubePrefix,
      destinationPrefix: config.destination.kubePrefix,
      policy: {
        onConflict: writing.onConflict,
        onDrift: writing.onDrift,
        allowPlaintext: writing.allowPlaintext,
        allowMassDelete: writing.allowMassDelete,
        deleteNamespaces: writing.deleteNamespaces,
        adoptFromLink: writing.adoptFromLink,
        acceptNewDestination: writing.acceptNewDestination,
        destinationIsCold: writing.cold,
        maxWritesPerSecond: writing.maxWritesPerSecond,
        maxTxnOps: writing.maxTxnOps,
        verifyEveryMs: config.fullPassIntervalMs,
      },
      clock,
      random,
      log: log.child("mirror"),
      ttlSeconds: config.fenceTtlSeconds,
    });
  }

  readFile(path: string): Promise<string> {
    return readFile(path, "utf8");
  }
}
