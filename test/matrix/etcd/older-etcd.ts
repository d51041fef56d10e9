/** Etcd servers of releases that the mirror has to work with as well: etcd tells its clients less the older it is. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { environment } from "../../controlplane/environment.js";
import { withFileLock } from "../../controlplane/file-lock.js";
import { runCommand } from "../../controlplane/run-command.js";

/** A folder beside this file with the go.mod of one release. */
export interface OlderEtcd {
  /** The folder's name: "3.5". */
  readonly minor: string;
  /** What the server calls itself. */
  readonly version: string;
  /** The package that is the server. */
  readonly program: string;
}

/**
 * 3.5.21 tells true progress (since 3.5.13), 3.4.13 does not (since 3.4.31): there only events move the checkpoint. Of 3.4 no
 * tag is a version of a Go module, as its module's path lacks the /v3; 3.4.13 is the one that Kubernetes 1.20 asked for by commit.
 */
export const OLDER_ETCDS: readonly OlderEtcd[] = [
  { minor: "3.4", version: "3.4.13", program: "go.etcd.io/etcd" },
  { minor: "3.5", version: "3.5.21", program: "go.etcd.io/etcd/server/v3" },
];

const FLAGS = "-s -w";

/**
 * Path of its server, from the cache or built with Go into that cache (some 20 MB, one to two minutes the first time). Once,
 * however many processes ask.
 * @throws Error with the compiler's output
 */
export async function locateOlderEtcd(etcd: OlderEtcd): Promise<string> {
  const target = join(cacheRoot(), `etcd-${etcd.version}-${keyOf(etcd)}`, "etcd");
  if (existsSync(target)) return target;
  return withFileLock(`${dirname(target)}.lock`, async () => {
    if (!existsSync(target)) await build(etcd, target);
    return target;
  });
}

/** Appears complete or not at all: it is built under another name and renamed. */
async function build({ minor, version, program }: OlderEtcd, target: string): Promise<void> {
  process.stderr.write(`etcd ${version}: building it with Go, one to two minutes\n`);
  const draft = `${dirname(target)}.building-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const args = ["build", "-trimpath", "-ldflags", FLAGS, "-o", join(draft, "etcd"), program];
    await runCommand("go", args, { cwd: join(import.meta.dirname, minor) });
    renameSync(draft, dirname(target));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Changes whenever the program would. */
function keyOf({ minor, program }: OlderEtcd): string {
  const hash = createHash("sha256");
  const texts = ["go.mod", "go.sum"].map((name) =>
    readFileSync(join(import.meta.dirname, minor, name), "utf8"),
  );
  for (const part of [...texts, program, FLAGS, process.platform, process.arch]) {
    hash.update(`${part.length}:${part}`);
  }
  return hash.digest("hex").slice(0, 12);
}

function cacheRoot(): string {
  const cache = environment()["XDG_CACHE_HOME"];
  const root = cache === undefined || cache === "" ? join(homedir(), ".cache") : cache;
  return join(root, "svc-ferry");
}
