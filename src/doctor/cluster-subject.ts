import type { InspectedCluster } from "../ports/inspected-cluster.js";

/** One cluster as checks talk of it. */
export interface ClusterSubject {
  readonly side: "source" | "destination";
  /** Of the configuration. */
  readonly name: string;
  /** By which kubectl reaches it. */
  readonly context: string;
  /** The flags that name it, for whoever has to correct them; undefined: those of `run`. */
  readonly flags?: string;
  /** Opened once; the same for every check. @throws TerminalError FERRY-K005 when its kubeconfig is wrong */
  readonly open: () => Promise<InspectedCluster>;
}

/** "src" or "dst": how ids begin. */
export function prefixOf({ side }: Pick<ClusterSubject, "side">): string {
  return side === "source" ? "src" : "dst";
}

/** "source" or "destination eks-b": the heading under which checks stand. */
export function sectionOf({ side, name }: Pick<ClusterSubject, "side" | "name">): string {
  return side === "source" ? "source" : `destination ${name}`;
}

/** The key of the check that finds out whether the cluster can be reached at all. */
export function reachKey(subject: ClusterSubject): string {
  return `${prefixOf(subject)}-reach ${subject.name}`;
}

/** `kubectl --context eks-b` */
export function kubectl({ context }: Pick<ClusterSubject, "context">): string {
  return `kubectl --context ${context}`;
}
