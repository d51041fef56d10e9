/** Runs many histories, and makes of the first one that fails the shortest that still does. */
import { runHistory, type History, type Report } from "./history.js";
import { Tally } from "./tally.js";

/** What many histories came to. */
export interface Outcome {
  /** The first failure, told for a person; undefined: there is none. */
  readonly failure: string | undefined;
  /** Dangers that none of them met: empty, or the histories are too harmless. One history alone meets few. */
  readonly missing: readonly string[];
}

/** Stops at the first failure. */
export async function search(
  seeds: Iterable<number>,
  historyOf: (seed: number) => History,
): Promise<Outcome> {
  const tally = new Tally();
  let count = 0;
  // An abort makes an error with a stack that nobody reads: a fifth of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    for (const seed of seeds) {
      const history = historyOf(seed);
      const report = await runHistory(history, { tally });
      if (report.problems.length > 0) return { failure: await told(history, report), missing: [] };
      count += 1;
    }
    return { failure: undefined, missing: count < 100 ? [] : tally.missing };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function told(history: History, report: Report): Promise<string> {
  const short = await shrunk(history, report);
  const { problems, trace } = await runHistory(short, { withLog: true });
  return [
    `history ${history.seed} fails (SVC_FERRY_SEED=${history.seed} replays it):`,
    ...report.problems.map((text) => `  ${text}`),
    "its shortest form:",
    ...trace,
    ...problems.map((text) => `  ${text}`),
    JSON.stringify(short),
  ].join("\n");
}

/** Leaves out what is not needed for the same kind of failure: halves first, then single operations. */
async function shrunk(history: History, report: Report): Promise<History> {
  const kind = kindOf(report);
  const fails = async (candidate: History): Promise<boolean> =>
    (await runHistory(candidate)).problems.some((text) => kindOfText(text) === kind);
  let shortest = history;
  for (
    let size = Math.ceil(history.operations.length / 2);
    size >= 1;
    size = Math.floor(size / 2)
  ) {
    for (let from = 0; from < shortest.operations.length;) {
      const candidate = await first(without(shortest, from, size), fails);
      if (candidate === undefined) from += size;
      else shortest = candidate;
    }
  }
  return (await first([{ ...shortest, replicas: 1 }], fails)) ?? shortest;
}

async function first(
  candidates: readonly History[],
  fails: (candidate: History) => Promise<boolean>,
): Promise<History | undefined> {
  for (const candidate of candidates) if (await fails(candidate)) return candidate;
  return undefined;
}

/** Without some operations: everything after them earlier, or at its old time. */
function without(history: History, from: number, size: number): readonly History[] {
  const { operations } = history;
  const gapMs = operations.slice(from, from + size).reduce((sum, { afterMs }) => sum + afterMs, 0);
  const rest = [...operations.slice(0, from), ...operations.slice(from + size)];
  const inTime = rest.map((operation, index) =>
    index === from ? { ...operation, afterMs: operation.afterMs + gapMs } : operation,
  );
  return [rest, inTime].map((left) => ({ ...history, operations: left }));
}

function kindOf({ problems: [text = ""] }: Report): string {
  return kindOfText(text);
}

/** The sentence without its numbers. */
function kindOfText(text: string): string {
  return text.replaceAll(/[0-9.]+/g, "#").slice(0, 60);
}
