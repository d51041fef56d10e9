/** Which histories a run goes through. */
const COUNT = process.env["SVC_FERRY_TEST_FULL"] === "1" ? 100_000 : 2_000;
const ONE = process.env["SVC_FERRY_SEED"];

/** One when `SVC_FERRY_SEED` names it; else 2,000 from 1 on, and 100,000 with `SVC_FERRY_TEST_FULL=1`. */
export const SEEDS: readonly number[] =
  ONE === undefined ? Array.from({ length: COUNT }, (_, index) => index + 1) : [Number(ONE)];

/** A full run takes an hour on one core. */
export const TIME_LIMIT_MS = 4 * 3_600_000;
