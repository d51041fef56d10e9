/**
 * What every Etcd must do, whether a real etcd is behind it or the one in memory: whatever the mirror relies on stands here
 * as a case. All of it holds for etcd 3.6.8.
 */
import { afterAll, beforeAll, describe } from "vitest";
import { etcdLeasesContract } from "./etcd-leases-contract.js";
import { etcdRangesContract } from "./etcd-ranges-contract.js";
import { etcdTxnsContract } from "./etcd-txns-contract.js";
import type { EtcdUnderTest } from "./etcd-under-test.js";
import { etcdWatchesContract } from "./etcd-watches-contract.js";

/** Registers the whole suite; `make` is called once. */
export function etcdContract(name: string, make: () => Promise<EtcdUnderTest>): void {
  describe(`${name} as an Etcd`, () => {
    let made: EtcdUnderTest | undefined;
    const under = (): EtcdUnderTest => {
      if (made === undefined) throw new Error("the etcd is not there yet");
      return made;
    };

    beforeAll(async () => {
      made = await make();
    });

    afterAll(async () => {
      await made?.cleanup();
    });

    etcdRangesContract(under);
    etcdTxnsContract(under);
    etcdLeasesContract(under);
    etcdWatchesContract(under);
  });
}
