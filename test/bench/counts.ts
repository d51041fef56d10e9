/** How much is measured. */
export interface Counts {
  /** Pairs of one label each, one at a time. */
  readonly rounds: number;
  /** Services created at once. */
  readonly burst: number;
  /** Times that each of the two does it, in turns. */
  readonly bursts: number;
  /** Endpoint slices changed at once. */
  readonly changes: number;
  /** Times that they are. */
  readonly changeRounds: number;
  /** Of one turn of patches. */
  readonly admissionSeconds: number;
  /** Times that each condition has two turns at each rate. */
  readonly admissionRounds: number;
  /** Services of the large world, with ten endpoints each. */
  readonly services: number;
  /** Samples of the memory, half a second apart. */
  readonly memorySamples: number;
}

export const FULL: Counts = {
  rounds: 200,
  burst: 1_000,
  bursts: 4,
  changes: 200,
  changeRounds: 5,
  admissionSeconds: 5,
  admissionRounds: 3,
  services: 10_000,
  memorySamples: 20,
};

/** A look whether everything works, in a minute; its numbers mean little. */
export const QUICK: Counts = {
  rounds: 20,
  burst: 100,
  bursts: 2,
  changes: 20,
  changeRounds: 1,
  admissionSeconds: 1,
  admissionRounds: 1,
  services: 500,
  memorySamples: 4,
};

/** 10000 → "10,000". */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
