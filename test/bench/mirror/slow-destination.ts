import { setTimeout as sleep } from "node:timers/promises";
import { startFaultProxy } from "../../harness/fault-proxy.js";
import { limitRow, type Row } from "../row.js";
import { CONFIG_MAPS } from "./config-maps.js";
import type { MirrorBed } from "./mirror-bed.js";
import type { MirrorCounts } from "./mirror-counts.js";

const part = "mirror-slow";
const MAX_RSS_MIB = 200;
/** There and back: with 64 transactions in flight about 100 keys a second get through. */
const DELAY_MS = 320;
const SAMPLE_EVERY_MS = 250;

/** What the mirror holds in memory while its destination takes 100 keys a second. */
export async function slowDestination(
  bed: MirrorBed,
  { slowSeconds }: MirrorCounts,
): Promise<readonly Row[]> {
  return bed.withDestination(async (destination) => {
    const { hostname: host, port } = new URL(destination.address);
    const proxy = await startFaultProxy({ host, port: Number(port) });
    proxy.delay(DELAY_MS);
    const mirror = bed.mirror(`http://127.0.0.1:${proxy.port}`, ["--max-writes-per-second", "0"]);
    try {
      let highest = 0;
      const untilMs = performance.now() + slowSeconds * 1_000;
      while (performance.now() < untilMs) {
        await sleep(SAMPLE_EVERY_MS);
        highest = Math.max(highest, mirror.rssMiB());
      }
      const rate = (await destination.count(CONFIG_MAPS)) / slowSeconds;
      const what = `highest RSS while the destination takes ${Math.round(rate)} keys/s`;
      return [limitRow({ part, what, unit: "MiB" }, highest, MAX_RSS_MIB)];
    } finally {
      await mirror.stop();
      await proxy.close();
    }
  });
}
