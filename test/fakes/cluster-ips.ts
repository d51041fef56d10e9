/** The cluster IPs and node ports of one fake cluster: counted upwards, given back on release. */
import type { IpFamily } from "./service-spec.js";

export class ClusterIps {
  readonly #taken = new Set<string>();
  #next = 1;
  #nextNodePort = 30_000;

  /** The next free address of `10.96.0.0/16` or `fd00:10:96::/112`. */
  allocate(family: IpFamily): string {
    for (;;) {
      const n = this.#next++ % 65_536;
      const ip = family === "IPv4" ? `10.96.${n >> 8}.${n & 255}` : `fd00:10:96::${n.toString(16)}`;
      if (this.take(ip)) return ip;
    }
  }

  /** False when it is taken. */
  take(ip: string): boolean {
    if (this.#taken.has(ip)) return false;
    this.#taken.add(ip);
    return true;
  }

  release(ips: readonly string[]): void {
    for (const ip of ips) this.#taken.delete(ip);
  }

  /** Never given twice, which a real server does not promise. */
  nodePort(): number {
    return this.#nextNodePort++;
  }

  /** After a restore: exactly these are taken. */
  reset(ips: Iterable<string>): void {
    this.#taken.clear();
    for (const ip of ips) this.#taken.add(ip);
  }
}
