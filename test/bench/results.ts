import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { page } from "./report.js";
import type { Row } from "./row.js";

/** What one part measured last, in full. */
export interface Measured {
  /** On what, and when. */
  readonly where: string;
  readonly rows: readonly Row[];
}

const DOCS = join(import.meta.dirname, "../../docs");
/** What the page is made of: parts that are measured again replace their rows, and no others. */
const RESULTS = join(DOCS, "benchmarks.json");
const PAGE = join(DOCS, "benchmarks.md");

/** Writes down what a part measured, at once: a run that breaks off after half an hour has not measured for nothing. */
export async function record(part: string, measured: Measured): Promise<void> {
  const results = { ...read(), [part]: measured };
  const text = await format(JSON.stringify(results), { parser: "json", printWidth: 100 });
  writeFileSync(RESULTS, text);
  writeFileSync(PAGE, await page(Object.values(results)));
}

function read(): Readonly<Record<string, Measured>> {
  return JSON.parse(readFileSync(RESULTS, "utf8")) as Readonly<Record<string, Measured>>;
}
