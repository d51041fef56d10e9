import type { InjectionToken } from "tsyringe";
import type { Route } from "../domain/route.js";
import type { ClusterAccess } from "../ports/clusters.js";

/** Which core/v1 objects carry a mirror's addresses. */
export type EndpointsMode = "slices" | "endpoints" | "both";

/** What to do with a mirror that k8s-svc-sync left. */
type AdoptMode = "on" | "off" | "report";

/** A cluster that is written to. */
export interface Destination {
  /** Unique; the context's name unless the configuration gives another. */
  readonly name: string;
  readonly access: ClusterAccess;
  /** Nothing is written there; what is there stays. */
  readonly paused: boolean;
}

/** Everything `svc-ferry run` was told, checked, complete and frozen. Durations in ms. */
export interface Config {
  /** Identity in the Lease and in the log. */
  readonly podName: string;
  readonly source: {
    /** What logs call the source: the context's name, "in-cluster" without one. */
    readonly name: string;
    readonly access: ClusterAccess;
  };
  /** Beside the Lease; undefined: renewed tokens live in memory only. */
  readonly kubeconfigSecret: string | undefined;
  readonly destinations: readonly Destination[];
  readonly routes: readonly Route[];
  readonly lease: {
    readonly namespace: string;
    readonly name: string;
    /** Defaults are client-go's: 15 s, 10 s, 2 s. */
    readonly durationMs: number;
    readonly renewDeadlineMs: number;
    readonly retryPeriodMs: number;
  };
  /** `--link`; undefined: made from the Lease and the source's kube-system UID. */
  readonly link: string | undefined;
  readonly endpoints: EndpointsMode;
  readonly adopt: AdoptMode;
  readonly allowMassDelete: boolean;
  /** How often everything of the link is compared. */
  readonly sweepIntervalMs: number;
  /** How long a configuration must have led before mirrors of routes that it does not know are removed. */
  readonly staleRouteGraceMs: number;
  readonly http: {
    /** Address of the admin port, default all. */
    readonly bindAddress: string;
    /** 0 picks a free one. */
    readonly port: number;
    /** Who may read /status: "loopback" or "all". */
    readonly page: "loopback" | "all";
  };
  /** Admission. */
  readonly webhook: {
    readonly on: boolean;
    /** 0 picks a free one. */
    readonly port: number;
    /** Name of both webhook configurations. */
    readonly configuration: string;
    readonly handOff: {
      /** 0 picks a free one. */
      readonly port: number;
      /** What the leader publishes; undefined: found out from the host. */
      readonly address: string | undefined;
    };
    readonly certs: {
      readonly mode: "self" | "cert-manager" | "provided";
      /** With another mode than self. */
      readonly directory: string;
    };
    readonly changedBy: "full" | "hash" | "off";
  };
  readonly log: {
    readonly format: "human" | "json";
    readonly level: "debug" | "info" | "warn" | "error";
  };
  /** Connections per cluster for requests, watches not counted. */
  readonly maxConnections: number;
}
export const Config: InjectionToken<Config> = Symbol("Config");
