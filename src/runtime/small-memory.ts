import { setFlagsFromString } from "node:v8";

/**
 * What V8 is told before any work, because it takes memory for speed that this process has no use for: nearly all time
 * passes in waiting for API servers. With 10,000 Services and 100,000 endpoints the three together make 165 MB of what
 * were 420 MB resident.
 *
 * NB: V8's own options, not Node's: they may go with a new major version of Node, which then says so on stderr and goes on
 * without. Options of the same kind that only work on the command line are of no use to a program that is started as
 * `node svc-ferry.js` or from a PATH.
 */
export const HEAP_FLAGS: readonly string[] = [
  // The young generation stays at 2 MB. It would grow to 128 MB during a list and shrink only when nothing happens.
  "--semi-space-growth-factor=1",
  // The old generation is collected when it has grown by a little, not when it has doubled.
  "--optimize-for-size",
  // The HTTP parser is one WebAssembly function of 50 kB. Optimizing it takes 40 MB at once, which malloc keeps.
  "--wasm-tier-up-filter=0",
];

/** Called once, before the first connection. */
export function keepHeapSmall(): void {
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag);
}
