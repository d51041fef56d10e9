/**
 * `node test/beside.ts types lint build`: scripts of package.json beside each other, what each of them printed when it has ended.
 * Ends with 1 when one of them failed, once all have ended.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

async function run(script: string): Promise<boolean> {
  const child = spawn(process.execPath, ["--run", script], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<boolean>((resolve) => {
    child.once("close", (code) => resolve(code === 0));
    child.once("error", () => resolve(false));
  });
  const [out, err, isWell] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  process.stdout.write(`\n> ${script}${isWell ? "" : " failed"}\n${out}${err}`);
  return isWell;
}

const outcomes = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = outcomes.every((isWell) => isWell) ? 0 : 1;
