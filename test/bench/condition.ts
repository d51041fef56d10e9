/** The same patches, under one condition after the other: what each took, and what that says. */
import { cpuSeconds } from "./replica.js";
import { ratioRow, type Row } from "./row.js";
import { median, percentile } from "./statistics.js";

/** How Services are patched in one turn. */
export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What one turn took. */
interface Turn extends Load {
  /** ms of each patch. */
  readonly tookMs: readonly number[];
  /** Of the process that is asked. */
  readonly cpuSeconds: number;
}

/** One condition under which Services are patched. */
export class Condition {
  readonly #turns: Turn[] = [];

  /** @param pid who is asked; undefined: nobody */
  constructor(
    readonly namespace: string,
    private readonly pid?: number,
  ) {}

  /** @param patches resolves with the ms of each */
  async turn(load: Load, patches: () => Promise<readonly number[]>): Promise<void> {
    const used = (): number => (this.pid === undefined ? 0 : cpuSeconds(this.pid));
    const before = used();
    const tookMs = await patches();
    this.#turns.push({ ...load, tookMs, cpuSeconds: used() - before });
  }

  /** The middle of all turns at this rate: one in which the disk stood still for a second says nothing about webhooks. */
  latencyMs(perSecond: number, fraction: number): number {
    return median(this.#at(perSecond).map(({ tookMs }) => percentile(tookMs, fraction)));
  }

  /** Of the process, for each patch. */
  cpuMs(perSecond: number): number {
    const turns = this.#at(perSecond);
    const patches = turns.reduce((sum, { tookMs }) => sum + tookMs.length, 0);
    return (turns.reduce((sum, one) => sum + one.cpuSeconds, 0) * 1_000) / patches;
  }

  #at(perSecond: number): readonly Turn[] {
    return this.#turns.filter((turn) => turn.perSecond === perSecond);
  }
}

/** What a baseline and svc-ferry take of patches at one rate. Latency is told as the difference to nobody's being asked. */
export function rowsBeside(
  { none, beside, ours }: Readonly<Record<"none" | "beside" | "ours", Condition>>,
  at: {
    readonly part: string;
    readonly perSecond: number;
    /** What the baseline is. */
    readonly more: string;
    readonly limit?: number;
  },
): readonly Row[] {
  const { part, perSecond, more, limit } = at;
  const latency = (fraction: number): Row => {
    const added = (one: Condition): number =>
      one.latencyMs(perSecond, fraction) - none.latencyMs(perSecond, fraction);
    const what = `latency added to ${perSecond} patches/s, p${fraction * 100}, ${more}`;
    return ratioRow({ part, what, unit: "ms" }, { bare: added(beside), ferry: added(ours) }, limit);
  };
  const what = `CPU time of the process for each of ${perSecond} patches/s, ${more}`;
  const cpu = { bare: beside.cpuMs(perSecond), ferry: ours.cpuMs(perSecond) };
  return [latency(0.5), latency(0.99), ratioRow({ part, what, unit: "ms" }, cpu, undefined)];
}
