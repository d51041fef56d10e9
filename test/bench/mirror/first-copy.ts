import { grouped } from "../counts.js";
import { atLeastRow, type Row } from "../row.js";
import { median } from "../statistics.js";
import type { MirrorBed } from "./mirror-bed.js";
import type { MirrorCounts } from "./mirror-counts.js";

const part = "mirror-copy";

/** Shares of the bare loop's rate. Source: DESIGN's numbers, for loops of the same client in the same run. */
const LEAST_COLD_PERCENT = 70;
const LEAST_LIVE_PERCENT = 80;
/** Times `etcdctl make-mirror`. */
const LEAST_TIMES_MAKE_MIRROR = 5;

/** How long the first copy takes, beside loops that only read and write. */
export async function firstCopy(bed: MirrorBed, { copies }: MirrorCounts): Promise<readonly Row[]> {
  const taken = { bareCold: [], cold: [], bareLive: [], live: [], makeMirror: [] } as Record<
    "bareCold" | "cold" | "bareLive" | "live" | "makeMirror",
    number[]
  >;
  for (let round = 0; round < copies; round++) {
    taken.bareCold.push(await bed.withDestination(async (to) => bed.bareCopyMs("cold", to)));
    taken.cold.push(await ferryCopyMs(bed, ["--dest-cold"]));
    taken.bareLive.push(await bed.withDestination(async (to) => bed.bareCopyMs("live", to)));
    taken.live.push(await ferryCopyMs(bed, ["--max-writes-per-second", "0"]));
  }
  taken.makeMirror.push(await bed.withDestination(async (to) => bed.makeMirrorMs(to)));
  const rate = (ms: readonly number[]): number => (bed.keys / median(ms)) * 1_000;
  const what = `first copy of ${grouped(bed.keys)} keys of 1.6 kB`;
  return [
    shareRow(
      `${what}, cold destination`,
      rate(taken.bareCold),
      rate(taken.cold),
      LEAST_COLD_PERCENT,
    ),
    shareRow(
      `${what}, live destination`,
      rate(taken.bareLive),
      rate(taken.live),
      LEAST_LIVE_PERCENT,
    ),
    {
      ...atLeastRow(
        { part, what: `${what}, cold destination, beside etcdctl make-mirror`, unit: "×" },
        rate(taken.cold) / rate(taken.makeMirror),
        LEAST_TIMES_MAKE_MIRROR,
      ),
      bare: `${Math.round(rate(taken.makeMirror))} keys/s`,
    },
  ];
}

async function ferryCopyMs(bed: MirrorBed, args: readonly string[]): Promise<number> {
  return bed.withDestination(async (destination) => {
    const mirror = bed.mirror(destination.address, args);
    try {
      return await bed.copyMs(destination);
    } finally {
      await mirror.stop();
    }
  });
}

function shareRow(what: string, bare: number, ferry: number, leastPercent: number): Row {
  const percent = (ferry / bare) * 100;
  return {
    part,
    what,
    bare: `${Math.round(bare)} keys/s`,
    ferry: `${Math.round(ferry)} keys/s (${Math.round(percent)} %)`,
    goal: `≥ ${leastPercent} %`,
    reached: percent >= leastPercent,
  };
}
