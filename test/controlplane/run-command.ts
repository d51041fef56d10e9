import { spawn } from "node:child_process";

/** How a short-lived command is run. */
export interface CommandOptions {
  /** Its stdin; empty when undefined. */
  readonly input?: string;
  readonly cwd?: string;
}

/**
 * Runs a command to its end and returns its stdout.
 * @throws Error with the command, its exit code and its stderr when it fails or does not exist
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      stdio: "pipe",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {}); // a command that ends without reading its input is judged by its exit code
    child.stdin.end(options.input ?? "");
    child.once("error", (error) =>
      reject(new Error(`${command} could not be started: ${error.message}`, { cause: error })),
    );
    child.once("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else {
        const how = signal === null ? `code ${code}` : signal;
        reject(new Error(`${command} ${args.join(" ")} ended with ${how}: ${stderr.trim()}`));
      }
    });
  });
}
