/** How the operators' tools come by their configuration: the settings of `run`, and kubectl's names for some of them. */
import { Option, type Command } from "commander";
import type { Config } from "../config/config.js";
import type { Flags } from "../config/given.js";
import { loadConfig } from "../config/load.js";
import { problemLine } from "../config/problems.js";
import { TOOL_SETTINGS } from "../config/tool-settings.js";
import { printable } from "../ports/printable.js";
import { settingOptions } from "./setting-options.js";
import type { Terminal } from "./terminal.js";

/** Adds the options; `--context` is what kubectl's users type for the source's. */
export function withToolSettings(command: Command): Command {
  for (const option of settingOptions(TOOL_SETTINGS)) command.addOption(option);
  return command.addOption(new Option("--context <context>", "the same as --src-context"));
}

/** As `loadConfig` takes them. */
export function toolFlags({ context, ...flags }: Flags): Flags {
  return { ...flags, srcContext: flags["srcContext"] ?? context };
}

/** undefined: it is wrong, and standard error says why. */
export function toolConfig({ env, readFile, stderr }: Terminal, flags: Flags): Config | undefined {
  const result = loadConfig({ flags: toolFlags(flags), env, readFile });
  if (result.kind === "invalid") {
    for (const problem of result.problems) stderr(`error: ${problemLine(problem)}\n`);
    return undefined;
  }
  for (const warning of result.warnings) stderr(`warning: ${printable(warning, 1_000)}\n`);
  return result.config;
}
