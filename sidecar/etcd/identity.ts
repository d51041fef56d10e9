/** Which cluster answers. Every header is compared: an endpoint of another cluster would be read as one great deletion. */
import { EtcdError, type EtcdHeader } from "./etcd.js";

export class ClusterIdentity {
  #clusterId: bigint | undefined;

  /** @param expected undefined: whoever answers first */
  constructor(expected: bigint | undefined) {
    this.#clusterId = expected;
  }

  /** @throws EtcdError cluster-changed */
  check({ clusterId }: EtcdHeader, address: string): void {
    this.#clusterId ??= clusterId;
    if (this.#clusterId === clusterId) return;
    const [wanted, found] = [this.#clusterId, clusterId].map((id) => id.toString(16));
    throw new EtcdError("cluster-changed", `${address} is of cluster ${found}, not ${wanted}`);
  }
}
