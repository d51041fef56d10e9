import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { environment } from "../controlplane/environment.js";
import { withFileLock } from "../controlplane/file-lock.js";
import { runCommand } from "../controlplane/run-command.js";

/**
 * Path of a helm: from PATH, from the cache, or built with Go from the module beside this file into that cache (one to two
 * minutes the first time, of which the control plane's build has most parts ready). Once, however many processes ask.
 * @throws Error that says what helps when there is neither
 */
export async function locateHelm(): Promise<string> {
  const env = environment();
  const path = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = program("helm", path);
  if (found !== undefined) return found;
  const target = join(cacheRoot(env), `helm-${moduleKey()}`, "helm");
  if (existsSync(target)) return target;
  const go = program("go", [...path, "/usr/local/go/bin"]);
  if (go === undefined) {
    throw new Error(
      `no helm for the tests of the chart: put helm on PATH, or install Go, which builds it into ${target}`,
    );
  }
  return withFileLock(`${dirname(target)}.lock`, async () => {
    if (!existsSync(target)) await build(go, target);
    return target;
  });
}

const SOURCES = ["go.mod", "go.sum"];

/** What helm takes the cluster for when it renders without one, and lints by; else it takes it for 1.20. */
const KUBERNETES_MINOR = "36";

const FLAGS = [
  "-s -w",
  ...["chartutil", "lint/rules"].flatMap((name) => [
    `-X helm.sh/helm/v3/pkg/${name}.k8sVersionMajor=1`,
    `-X helm.sh/helm/v3/pkg/${name}.k8sVersionMinor=${KUBERNETES_MINOR}`,
  ]),
].join(" ");

/** Appears complete or not at all: it is built under another name and renamed. */
async function build(go: string, target: string): Promise<void> {
  process.stderr.write("helm: building it with Go; the first time this takes one to two minutes\n");
  const draft = `${dirname(target)}.building-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const output = join(draft, "helm");
    const args = [
      "build",
      "-trimpath",
      "-ldflags",
      FLAGS,
      "-o",
      output,
      "helm.sh/helm/v3/cmd/helm",
    ];
    await runCommand(go, args, { cwd: import.meta.dirname });
    renameSync(draft, dirname(target));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Changes whenever the program would. */
function moduleKey(): string {
  const hash = createHash("sha256");
  const texts = SOURCES.map((name) => readFileSync(join(import.meta.dirname, name), "utf8"));
  for (const part of [...texts, FLAGS, process.platform, process.arch]) {
    hash.update(`${part.length}:${part}`);
  }
  return hash.digest("hex").slice(0, 12);
}

function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const cache = env["XDG_CACHE_HOME"];
  const root = cache === undefined || cache === "" ? join(homedir(), ".cache") : cache;
  return join(root, "svc-ferry");
}

function program(name: string, folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
