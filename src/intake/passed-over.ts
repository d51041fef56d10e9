import { type ServiceKey } from "../domain/service-key.js";

/** Power of two: 128 kB. With 10,000 Services that are not ferried one new Service in a hundred is listed for nothing. */
const BITS = 2 ** 20;

/**
 * Which Services may have slices that a watch passed over. "No" is certain, "perhaps" costs one list for nothing: two names can
 * share a bit, and none is ever cleared. So a Service that comes into being after its watch began needs no list at all, and the
 * memory does not follow the size of the cluster.
 */
export class PassedOver {
  readonly #bits = new Uint8Array(BITS / 8);

  add(service: ServiceKey): void {
    const bit = bitOf(service);
    this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  mayHave(service: ServiceKey): boolean {
    const bit = bitOf(service);
    return ((this.#bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }
}

/** FNV-1a, folded. Source: draft-eastlake-fnv. */
function bitOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 20) ^ hash) & (BITS - 1);
}
