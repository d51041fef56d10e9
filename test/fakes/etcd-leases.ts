/** Leases of the fake etcd, on its clock. */
import { EtcdError } from "../../sidecar/etcd/etcd.js";
import type { ProcessTime } from "./virtual-clock.js";

/** Election timeout 1 s: one and a half of it, rounded up. Source: etcd server/lease/lessor.go, minLeaseTTL. */
const MIN_TTL_SECONDS = 2;

interface Lease {
  readonly ttlSeconds: number;
  readonly cancelExpiry: () => void;
}

export class EtcdLeases {
  readonly #leases = new Map<bigint, Lease>();
  #lastId = 0x70cc_0000_0000_0000n;

  /** @param onEnd deletes what is attached, in one revision; called at expiry and at revocation */
  constructor(
    private readonly clock: ProcessTime,
    private readonly onEnd: (lease: bigint) => void,
  ) {}

  has(id: bigint): boolean {
    return this.#leases.has(id);
  }

  grant(askedSeconds: number): { readonly id: bigint; readonly ttlSeconds: number } {
    const id = ++this.#lastId;
    const ttlSeconds = Math.max(MIN_TTL_SECONDS, Math.ceil(askedSeconds));
    this.#start(id, ttlSeconds);
    return { id, ttlSeconds };
  }

  /** A full TTL from now. @returns seconds; 0: there is no such lease */
  keepAlive(id: bigint): number {
    const lease = this.#leases.get(id);
    if (lease === undefined) return 0;
    lease.cancelExpiry();
    this.#start(id, lease.ttlSeconds);
    return lease.ttlSeconds;
  }

  revoke(id: bigint): void {
    if (!this.#leases.has(id)) {
      throw new EtcdError("lease-not-found", "etcdserver: requested lease not found");
    }
    this.#end(id);
  }

  #start(id: bigint, ttlSeconds: number): void {
    const cancelExpiry = this.clock.schedule(ttlSeconds * 1_000, () => this.#end(id));
    this.#leases.set(id, { ttlSeconds, cancelExpiry });
  }

  #end(id: bigint): void {
    this.#leases.get(id)?.cancelExpiry();
    this.#leases.delete(id);
    this.onEnd(id);
  }
}
