import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SETUP = fileURLToPath(new URL("../../../harness/end-with-parent.ts", import.meta.url));
/** What keeps a worker alive. */
const BUSY = "data:text/javascript,setInterval(()=>{},1e9);process.stdout.write('at work')";

it("a worker whose run is killed ends, although it still has something to do", async () => {
  const execArgv = ["--import", SETUP, "--import", BUSY];
  const fork = `require("node:child_process").fork(${JSON.stringify(SETUP)}, ${JSON.stringify({ execArgv })})`;
  const run = spawn(process.execPath, ["-e", fork], { stdio: ["ignore", "pipe", "ignore"] });
  const [said] = (await once(run.stdout, "data")) as [Buffer];

  run.kill("SIGKILL");

  // The worker holds the other end.
  await once(run.stdout, "close");
  expect(said.toString()).toBe("at work");
});
