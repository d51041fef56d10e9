/** What `svc-ferry mirror` was told, checked, complete and frozen. Durations in ms. */
import type { InjectionToken } from "tsyringe";

/** One etcd: how it is reached and what its keys and values look like. */
export interface EtcdAccess {
  /** What logs and metrics call it. */
  readonly name: "source" | "destination";
  /** With their scheme: "https://10.0.0.1:2379". All with one, at least one. */
  readonly endpoints: readonly string[];
  /** undefined: plain text. */
  readonly tls: EtcdTls | undefined;
  /** undefined: no auth. */
  readonly user: { readonly name: string; readonly passwordFile: string } | undefined;
  readonly dialTimeoutMs: number;
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  /** "/registry": no slash at its end. */
  readonly kubePrefix: string;
  /** Its API servers' EncryptionConfiguration. */
  readonly encryption: ConfigFilePath;
}

/** Files that are read at each connection, so that a renewed certificate needs no restart. */
export interface EtcdTls {
  /** undefined: those that Node.js brings along, and NODE_EXTRA_CA_CERTS. */
  readonly caFile: string | undefined;
  /** Client certificate and key: both or neither. */
  readonly client: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly skipVerify: boolean;
}

/** A file that is watched. */
export interface ConfigFilePath {
  readonly path: string;
  /** Somebody named it: then it has to be there. A default need not. */
  readonly required: boolean;
}

/** How the destination's API server is reached. */
export interface DestinationApi {
  readonly kubeconfig: string;
  /** undefined: the kubeconfig's current one. */
  readonly context: string | undefined;
}

/** What the commands need that work with the destination alone. */
export interface MirrorLinkConfig {
  /** Whose the mirrored objects are: part of every key of ours. */
  readonly link: string;
  /** Identity in the fence and in the log. */
  readonly podName: string;
  readonly destination: EtcdAccess;
  readonly fenceTtlSeconds: number;
  readonly log: MirrorLogConfig;
}

interface MirrorLogConfig {
  readonly format: "human" | "json";
  readonly level: "debug" | "info" | "warn" | "error";
}

/** Everything. */
export interface MirrorConfig extends MirrorLinkConfig {
  readonly source: EtcdAccess;
  readonly mode: "standalone" | "active-standby";
  readonly rules: ConfigFilePath;
  readonly destinationApi: DestinationApi | undefined;
  readonly writing: MirrorWriting;
  /** 0n: none in particular. */
  readonly startRevision: bigint;
  readonly encryptionSettleMs: number;
  readonly fullPassIntervalMs: number;
  readonly http: {
    readonly bindAddress: string;
    /** 0 picks a free one. */
    readonly port: number;
    /** Who may read /status. */
    readonly page: "loopback" | "all";
  };
}

/** What may be written, and how. */
export interface MirrorWriting {
  /** The operator's word that no API server runs there. */
  readonly cold: boolean;
  readonly maxTxnOps: number;
  /** undefined: no limit. */
  readonly maxWritesPerSecond: number | undefined;
  readonly compaction: boolean;
  readonly onConflict: "skip" | "adopt" | "fail";
  readonly onDrift: "repair" | "report";
  readonly deleteNamespaces: "never" | "empty";
  readonly adoptFromLink: string | undefined;
  readonly acceptNewDestination: boolean;
  readonly allowPlaintext: boolean;
  readonly allowMassDelete: boolean;
}

export const MirrorConfig: InjectionToken<MirrorConfig> = Symbol("MirrorConfig");
