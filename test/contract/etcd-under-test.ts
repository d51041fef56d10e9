/** What the contract suite needs of whoever implements Etcd. */
import type { Etcd } from "../../sidecar/etcd/etcd.js";

export interface EtcdUnderTest {
  /** An etcd that nobody else uses, so that it may be compacted. */
  readonly etcd: Etcd;
  /** Lets so much time pass that whatever was due within `ms` has happened. */
  readonly pass: (ms: number) => Promise<void>;
  cleanup(): Promise<void>;
}

/** Gives the suite's etcd once `beforeAll` has made it. */
export type GetEtcd = () => EtcdUnderTest;
