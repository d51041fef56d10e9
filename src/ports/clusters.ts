import type { InjectionToken } from "tsyringe";
import type { KubeApi } from "./kube-api.js";

/** How to reach one cluster. */
export type ClusterAccess =
  | {
      readonly kind: "kubeconfig";
      /** undefined: as kubectl does, `~/.kube/config`. */
      readonly path: string | undefined;
      readonly context: string;
    }
  | { readonly kind: "in-cluster" };

/** Gives the API of a cluster. No server is contacted: one that is down is an error of its requests. */
export interface Clusters {
  /**
   * @param name what logs and metrics call it
   * @param processId of this process; with the pod's name in the User-Agent, so that a cluster's audit log tells replicas apart
   * @throws TerminalError FERRY-K005 when the kubeconfig cannot be read or has no such context
   */
  open(name: string, access: ClusterAccess, processId: string): Promise<KubeApi>;
  /** Closes every connection. */
  close(): Promise<void>;
}
export const Clusters: InjectionToken<Clusters> = Symbol("Clusters");
