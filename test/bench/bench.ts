import "reflect-metadata";
import { parseArgs } from "node:util";
import { locateBinaries } from "../controlplane/binaries.js";
import { runCommand } from "../controlplane/run-command.js";
import { admission } from "./admission.js";
import { Bed } from "./bed.js";
import { burst } from "./burst.js";
import { connections } from "./connections.js";
import { type Counts, FULL, QUICK } from "./counts.js";
import { endpointChanges } from "./endpoint-changes.js";
import { large } from "./large.js";
import { latency } from "./latency.js";
import { firstCopy } from "./mirror/first-copy.js";
import { MirrorBed } from "./mirror/mirror-bed.js";
import { FULL_MIRROR, type MirrorCounts, QUICK_MIRROR } from "./mirror/mirror-counts.js";
import { slowDestination } from "./mirror/slow-destination.js";
import { tail } from "./mirror/tail.js";
import { machine, table } from "./report.js";
import { record } from "./results.js";
import type { Row } from "./row.js";
import { start } from "./start.js";

/** The mirror's, between bare etcd servers. First: the control planes of the others would disturb them. */
const MIRROR_PARTS: Readonly<
  Record<string, (bed: MirrorBed, counts: MirrorCounts) => Promise<readonly Row[]>>
> = { "mirror-copy": firstCopy, "mirror-tail": tail, "mirror-slow": slowDestination };

/** The core's, in this order: the large world comes last, because the servers are never the same after it. */
const PARTS: Readonly<Record<string, (bed: Bed, counts: Counts) => Promise<readonly Row[]>>> = {
  start,
  latency,
  burst,
  endpoints: endpointChanges,
  connections,
  admission,
  large,
};

/**
 * `npm run bench [-- --only latency,burst] [--quick]`. What was measured in full goes into docs/benchmarks.md, part by part; a quick
 * run only prints. Exits with 1 when a goal is missed.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const known = [...Object.keys(MIRROR_PARTS), ...Object.keys(PARTS)];
  const chosen = values.only === undefined ? known : values.only.split(",");
  const stranger = chosen.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new Error(`no part "${stranger}"; there are ${known.join(", ")}`);
  const mirrorCounts = values.quick ? QUICK_MIRROR : FULL_MIRROR;
  const where = machine(await serverVersions());
  const onMeasured = async (part: string, rows: readonly Row[]): Promise<void> => {
    process.stderr.write(`${table(rows)}\n`);
    if (!values.quick) await record(part, { where, rows });
  };
  const rows = [
    ...(await measure({ chosen, parts: MIRROR_PARTS, counts: mirrorCounts, onMeasured }, async () =>
      MirrorBed.start(mirrorCounts.keys),
    )),
    ...(await measure(
      { chosen, parts: PARTS, counts: values.quick ? QUICK : FULL, onMeasured },
      async () => Bed.start(),
    )),
  ];
  process.stdout.write(`${where}\n\n${table(rows)}\n`);
  process.exitCode = rows.some(({ reached }) => reached === false) ? 1 : 0;
}

/** Of the programs that are measured, by their own word: "Kubernetes v1.36.3, etcd 3.6.8". */
async function serverVersions(): Promise<string> {
  const { apiServer, etcd } = await locateBinaries();
  const [kubernetes, line] = await Promise.all([
    runCommand(apiServer, ["--version"]),
    runCommand(etcd, ["--version"]),
  ]);
  return `${kubernetes.trim()}, etcd ${/etcd Version: (\S+)/.exec(line)?.[1] ?? "of an unknown version"}`;
}

interface Measuring<B, C> {
  readonly chosen: readonly string[];
  readonly parts: Readonly<Record<string, (bed: B, counts: C) => Promise<readonly Row[]>>>;
  readonly counts: C;
  readonly onMeasured: (part: string, rows: readonly Row[]) => Promise<void>;
}

/** The bed stands for as long as one of its parts is measured; with none it is never made. */
async function measure<B extends { stop(): Promise<void> }, C>(
  { chosen, parts, counts, onMeasured }: Measuring<B, C>,
  start: () => Promise<B>,
): Promise<readonly Row[]> {
  const wanted = Object.entries(parts).filter(([name]) => chosen.includes(name));
  if (wanted.length === 0) return [];
  const bed = await start();
  const rows: Row[] = [];
  try {
    for (const [name, run] of wanted) {
      process.stderr.write(`measuring ${name} …\n`);
      const measured = await run(bed, counts);
      await onMeasured(name, measured);
      rows.push(...measured);
    }
    return rows;
  } finally {
    await bed.stop();
  }
}

await main();
