import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { RELEASE_VARIABLE, releases } from "../controlplane/build.js";
import { environment } from "../controlplane/environment.js";

const VITEST = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");

/**
 * Runs the integration tests on control planes of the older releases of Kubernetes, one after the other:
 * `tsx test/matrix/matrix.ts [RELEASE…] [FILE…]`, by default all of both. What a release fails at does not keep the next one
 * from running.
 */
async function main(words: readonly string[]): Promise<void> {
  const isRelease = (word: string): boolean => /^\d+\.\d+$/.test(word);
  const [, ...older] = releases();
  const asked = words.filter(isRelease);
  const files = words.filter((word) => !isRelease(word));
  const lines: string[] = [];
  for (const release of asked.length > 0 ? asked : older) {
    const begin = performance.now();
    say(`Kubernetes ${release}`);
    const code = await test(release, files);
    const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
    lines.push(`Kubernetes ${release}: ${code === 0 ? "passed" : "FAILED"}, ${minutes} min`);
    if (code !== 0) process.exitCode = 1;
  }
  for (const line of lines) say(line);
}

/** Resolves with vitest's exit code. */
async function test(release: string, files: readonly string[]): Promise<number> {
  const projects = ["--project", "integration", "--project", "rights"];
  const child = spawn(process.execPath, [VITEST, "run", ...projects, ...files], {
    env: { ...environment(), [RELEASE_VARIABLE]: release },
    stdio: "inherit",
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main(process.argv.slice(2));
