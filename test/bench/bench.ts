import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { admission } from "./admission.js";
import { Bed } from "./bed.js";
import { burst } from "./burst.js";
import { connections } from "./connections.js";
import { type Counts, FULL, QUICK } from "./counts.js";
import { endpointChanges } from "./endpoint-changes.js";
import { large } from "./large.js";
import { latency } from "./latency.js";
import { machine, page, table } from "./report.js";
import type { Row } from "./row.js";
import { start } from "./start.js";

/** In this order: the large world comes last, because the servers are never the same after it. */
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
 * `npm run bench [-- --only latency,burst] [--quick]`. A run of everything in full writes docs/benchmarks.md, any other
 * only prints. Exits with 1 when a goal is missed.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const chosen = values.only === undefined ? Object.keys(PARTS) : values.only.split(",");
  const parts = chosen.map((name) => {
    const run = PARTS[name];
    if (run === undefined)
      throw new Error(`no part "${name}"; there are ${Object.keys(PARTS).join(", ")}`);
    return { name, run };
  });
  const rows: Row[] = [];
  const bed = await Bed.start();
  try {
    for (const { name, run } of parts) {
      process.stderr.write(`measuring ${name} …\n`);
      const measured = await run(bed, values.quick ? QUICK : FULL);
      process.stderr.write(`${table(measured)}\n`);
      rows.push(...measured);
    }
    const where = machine(await bed.kubernetesVersion());
    process.stdout.write(`${where}\n\n${table(rows)}\n`);
    if (values.only === undefined && !values.quick) {
      const path = join(import.meta.dirname, "../../docs/benchmarks.md");
      writeFileSync(path, await page(where, rows));
    }
  } finally {
    await bed.stop();
  }
  process.exitCode = rows.some(({ reached }) => reached === false) ? 1 : 0;
}

await main();
