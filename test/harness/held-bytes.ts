import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate as turn } from "node:timers/promises";

/** What this process holds after everything has been let go that can be: objects, and what lies outside of the heap for them. */
export async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What one collection finds gives back more only when the event loop has had its turn.
  let before = Infinity;
  for (;;) {
    collect();
    await turn();
    const { heapUsed, external } = process.memoryUsage();
    const held = heapUsed + external;
    if (held >= before) return before;
    before = held;
  }
}
