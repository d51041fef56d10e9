/**
 * What every KubeApi must do, whether a real API server is behind it or the fake
 * one: whatever the product relies on stands here as a case. All of it holds for
 * Kubernetes 1.36.3, and for older releases where a case does not say otherwise.
 */
import { afterAll, beforeAll, describe } from "vitest";
import type { ClusterUnderTest } from "./cluster-under-test.js";
import { endpointsContract } from "./endpoints-contract.js";
import { leasesContract } from "./leases-contract.js";
import { listsContract } from "./lists-contract.js";
import { namespacesContract } from "./namespaces-contract.js";
import { serviceAddressesContract } from "./service-addresses-contract.js";
import { servicesContract } from "./services-contract.js";
import { watchesContract } from "./watches-contract.js";
import { writesContract } from "./writes-contract.js";

/** Registers the whole suite; `makeCluster` is called once. */
export function kubeApiContract(name: string, makeCluster: () => Promise<ClusterUnderTest>): void {
  describe(`${name} as a KubeApi`, () => {
    let made: ClusterUnderTest | undefined;
    const cluster = (): ClusterUnderTest => {
      if (made === undefined) throw new Error("the cluster is not there yet");
      return made;
    };

    beforeAll(async () => {
      made = await makeCluster();
    });

    afterAll(async () => {
      await made?.cleanup();
    });

    writesContract(cluster);
    listsContract(cluster);
    watchesContract(cluster);
    namespacesContract(cluster);
    servicesContract(cluster);
    serviceAddressesContract(cluster);
    endpointsContract(cluster);
    leasesContract(cluster);
  });
}
