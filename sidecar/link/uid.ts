import type { Random } from "../../src/ports/random.js";

/** A version 4 UUID, as API servers give them. */
export function freshUid(random: Random): string {
  const hex = random.id() + random.id();
  const variant = ((parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return parts.join("-");
}
