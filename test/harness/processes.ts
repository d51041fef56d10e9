import { spawnSync } from "node:child_process";

/** Pids of the processes of this machine whose command line contains `text`, this one excepted; zombies count not. */
export function processesNaming(text: string): readonly number[] {
  const { stdout } = spawnSync("ps", ["-Aww", "-o", "pid=,state=,args="], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, state]) => state?.startsWith("Z") === false)
    .map(([pid]) => Number(pid))
    .filter((pid) => pid !== process.pid);
}
