/** `svc-ferry run`: the daemon. */
import { Command } from "commander";
import type { Config } from "../config/config.js";
import type { ConfigOrigin } from "../config/config-feed.js";
import { configOrigin } from "../config/load.js";
import { problemLine } from "../config/problems.js";
import { settingOptions } from "./setting-options.js";
import { EXIT_CANNOT, type Terminal } from "./terminal.js";

/** What a daemon was told. */
export interface RunOrder {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Where it was told so. */
  readonly origin: ConfigOrigin;
}

/** Runs until the process is asked to end; resolves with the exit code. */
export type Run = (order: RunOrder) => Promise<number>;

export function runCommand(terminal: Terminal, run: Run, exit: (code: number) => void): Command {
  const command = new Command("run").description(
    "mirror labelled Services and their endpoints into other clusters (the default command)",
  );
  for (const option of settingOptions()) command.addOption(option);
  return command.action(async (flags: Readonly<Record<string, string | boolean | undefined>>) => {
    const { env, readFile, stderr } = terminal;
    const origin = configOrigin({ flags, env, readFile });
    const result = origin.load();
    if (result.kind === "invalid") {
      for (const problem of result.problems) stderr(`error: ${problemLine(problem)}\n`);
      return exit(EXIT_CANNOT);
    }
    const { config, warnings } = result;
    exit(await run({ config, warnings, origin }));
  });
}
