/** One command line of the operators' tools, as `main` runs it, within the test's own process. */
import { runProgram } from "../../src/cli/program.js";
import { commandsOf } from "../../src/commands.js";
import { NO_COMMANDS } from "../fixtures/no-commands.js";

export interface ToolResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * @param file content of whatever `--config` names
 * @param env what the command finds in its environment beside a name
 */
export async function runTool(
  args: readonly string[],
  file = "",
  env: Readonly<Record<string, string>> = {},
): Promise<ToolResult> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    env: { HOSTNAME: "tool", ...env },
    readFile: (): string => file,
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
  };
  const commands = commandsOf(terminal, NO_COMMANDS.run, NO_COMMANDS.mirror);
  const code = await runProgram({ version: "test", terminal, commands }, args);
  return { code, out: out.join(""), err: err.join("") };
}

/** Each as a word of a command line. */
export function toolFlags(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
}
