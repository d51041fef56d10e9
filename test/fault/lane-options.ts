import type { KubeconfigEntry } from "../controlplane/kubeconfig.js";
import type { Cluster } from "../harness/cluster.js";
import type { AuditLog } from "./audit-log.js";

/** Where svc-ferry believes a cluster to be. */
interface Way {
  readonly server: string;
  /** PEM; undefined: what is there ends no TLS itself. */
  readonly ca?: string;
  /** "": as nobody in particular. Default: as an administrator. */
  readonly token?: string;
}

export interface LaneOptions {
  /** Whose the namespaces are. */
  readonly bed: string;
  readonly from: Cluster;
  readonly to: Cluster;
  readonly audit: AuditLog;
  readonly source: KubeconfigEntry["controlPlane"];
  readonly destination: KubeconfigEntry["controlPlane"];
  /** Default: straight to the source. */
  readonly sourceWay?: Way;
  readonly destinationWay?: Way;
  /** Further clusters, or further ways to one, for a `--config` file. */
  readonly contexts?: readonly KubeconfigEntry[];
}

/** How a replica differs from the others. */
export interface ReplicaOptions {
  /** Default "pod". */
  readonly pod?: string;
  /** Instead of the one route from namespace to namespace. */
  readonly config?: RoutesFile;
  readonly flags?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

/** What a `--config` file says about clusters and routes. */
export interface RoutesFile {
  readonly destinations: readonly { readonly name?: string; readonly context: string }[];
  readonly routes: readonly RouteEntry[];
}

interface RouteEntry {
  readonly name: string;
  readonly destination?: string;
  readonly namespaces: readonly string[];
  readonly selector?: string;
  readonly markLabel?: string;
  readonly target: { readonly namespace: string; readonly name?: string };
  readonly targets?: { readonly namespaces: readonly string[] };
  readonly copyAnnotations?: readonly string[];
  readonly createNamespace?: boolean;
}

/** What a Service of a lane may have beside its name and address. */
export interface ServiceExtras {
  readonly port?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Seconds where time is not the subject. */
export const SHORT_LEASE = ["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=500ms"];

/** The defaults. */
export const LONG_LEASE = ["--lease-duration=15s", "--renew-deadline=10s", "--retry-period=2s"];
