import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { environment } from "../controlplane/environment.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface ShellResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ShellOptions {
  /** Its home. */
  readonly folder: string;
  readonly kubeconfigPath: string;
  /** Paths of programs, by the name under which they are called. */
  readonly programs: Readonly<Record<string, string>>;
  /** What the person has set. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Where a person types the commands of the documents: in a checkout, with kubectl and svc-ferry on PATH and a kubeconfig of
 * both clusters.
 */
export class Shell {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor({ folder, kubeconfigPath, programs, variables }: ShellOptions) {
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const own = { "svc-ferry": "svc-ferry.js", "kubectl-ferry": "kubectl-ferry.js" };
    for (const [name, script] of Object.entries(own)) {
      command(join(bin, name), `exec '${process.execPath}' '${join(ROOT, "dist", script)}' "$@"`);
    }
    for (const [name, path] of Object.entries(programs)) {
      command(join(bin, name), `exec '${path}' "$@"`);
    }
    const env = environment();
    this.#env = {
      ...env,
      PATH: [bin, env["PATH"] ?? ""].join(delimiter),
      HOME: folder,
      KUBECONFIG: kubeconfigPath,
      ...variables,
    };
  }

  /** Resolves whatever the exit code is. The first command that fails ends it. */
  async run(script: string): Promise<ShellResult> {
    return new Promise((resolve) => {
      const options = { cwd: ROOT, env: { ...this.#env }, maxBuffer: 1 << 26 };
      execFile("/bin/sh", ["-eu", "-c", script], options, (error, out, err) => {
        const code = error === null ? 0 : Number(error.code ?? 1);
        resolve({ code, out, err });
      });
    });
  }

  /** What it printed. @throws Error with what it complained of, when it fails */
  async type(script: string): Promise<string> {
    const { code, out, err } = await this.run(script);
    if (code === 0) return out;
    throw new Error(`${script}\nended with ${code}: ${err.trim()}\n${out.trim()}`);
  }
}

function command(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
}
