/** How much is measured of the mirror. */
export interface MirrorCounts {
  /** Keys of the first copy. */
  readonly keys: number;
  /** Times that each of the loops and the mirror copy them, in turns. */
  readonly copies: number;
  /** Changes of the tail, at 1,000 a second. */
  readonly changes: number;
  /** Seconds that a destination of 100 keys/s is fed. */
  readonly slowSeconds: number;
}

export const FULL_MIRROR: MirrorCounts = {
  keys: 100_000,
  copies: 3,
  changes: 10_000,
  slowSeconds: 30,
};

export const QUICK_MIRROR: MirrorCounts = {
  keys: 5_000,
  copies: 1,
  changes: 1_000,
  slowSeconds: 3,
};
