/** `svc-ferry run`: the daemon. */
import { Command } from "commander";
import type { Config } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import { problemLine } from "../config/problems.js";
import { settingOptions } from "./setting-options.js";
import { EXIT_CANNOT, type Terminal } from "./terminal.js";

/** Runs until the process is asked to end; resolves with the exit code. */
export type Run = (config: Config, warnings: readonly string[]) => Promise<number>;

export function runCommand(terminal: Terminal, run: Run, exit: (code: number) => void): Command {
  const command = new Command("run").description(
    "mirror labelled Services and their endpoints into other clusters (the default command)",
  );
  for (const option of settingOptions()) command.addOption(option);
  return command.action(async (flags: Readonly<Record<string, string | boolean | undefined>>) => {
    const { env, readFile, stderr } = terminal;
    const result = loadConfig({ flags, env, readFile });
    if (result.kind === "invalid") {
      for (const problem of result.problems) stderr(`error: ${problemLine(problem)}\n`);
      return exit(EXIT_CANNOT);
    }
    exit(await run(result.config, result.warnings));
  });
}
