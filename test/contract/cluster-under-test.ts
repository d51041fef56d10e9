/** What the contract suite needs of whoever implements KubeApi. */
import type { KubeApi } from "../../src/ports/kube-api.js";

export interface ClusterUnderTest {
  readonly api: KubeApi;
  /** 36 of Kubernetes 1.36: what releases do otherwise is told for each. */
  readonly minor: number;
  /** Exists, and belongs to this suite alone. */
  readonly namespace: string;
  /**
   * Compacts the history so that earlier revisions are answered with 410. Absent where it would disturb others: a real
   * server must be restarted for it, because its watch cache outlives a compaction of etcd.
   */
  readonly compact?: () => Promise<void>;
  cleanup(): Promise<void>;
}

/** Gives the suite's cluster once `beforeAll` has made it. */
export type Cluster = () => ClusterUnderTest;
