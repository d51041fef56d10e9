import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { withFileLock } from "./file-lock.js";
import { runCommand } from "./run-command.js";

/** The Go module that links the control plane: where its sources are and what Kubernetes version they pin. */
export interface GoModule {
  readonly folder: string;
  /** The file in it that pins all versions; its checksums lie beside it, with the ending `.sum`. */
  readonly modFile: string;
  /** `v1.36.3`. */
  readonly kubernetesVersion: string;
  /** What the etcd that goes with it calls itself: `3.6.8`. */
  readonly etcdVersion: string;
  /** Changes whenever the binary would: sources, versions, linker flags, platform. */
  readonly key: string;
}

/** What of the surroundings the build depends on; tests give their own. */
export interface BuildSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lines for the person who waits. */
  readonly say: (line: string) => void;
}

/** The names by which the one binary is called. */
export const PROGRAMS = [
  "kube-apiserver",
  "kube-controller-manager",
  "kubectl",
  "etcd",
  "etcdctl",
  "etcdutl",
] as const;

/** Chooses the minor release of Kubernetes, "1.34"; without it the one that go.mod pins. */
export const RELEASE_VARIABLE = "SVC_FERRY_TEST_KUBERNETES";

const FOLDER = import.meta.dirname;

/** Minor releases that can be built, newest first; the first one is the default. */
export function releases(): readonly string[] {
  const older = readdirSync(FOLDER)
    .map((name) => /^go-1\.(\d+)\.mod$/.exec(name)?.[1])
    .filter((minor) => minor !== undefined)
    .toSorted((a, b) => Number(b) - Number(a));
  return [minorOf(kubernetesVersion("go.mod")), ...older.map((minor) => `1.${minor}`)];
}

/**
 * The sources beside this file.
 * @param release undefined: the default
 * @throws Error that names those that there are, when it is none of them
 */
export function goModule(release?: string): GoModule {
  const [newest, ...older] = releases();
  if (release !== undefined && release !== newest && !older.includes(release)) {
    const known = [newest, ...older].join(", ");
    throw new Error(`no control plane of Kubernetes ${release} can be built, only of ${known}`);
  }
  const modFile = release === undefined || release === newest ? "go.mod" : `go-${release}.mod`;
  const sources = [modFile, modFile.replace(/mod$/, "sum"), "main.go"].map((name) =>
    readFileSync(join(FOLDER, name), "utf8"),
  );
  const version = kubernetesVersion(modFile);
  const etcdVersion = pinned("go.etcd.io/etcd/server/v3", modFile).slice(1);
  const hash = createHash("sha256");
  for (const part of [...sources, linkerFlags(version), process.platform, process.arch]) {
    hash.update(`${part.length}:${part}`);
  }
  const key = `${version}-${hash.digest("hex").slice(0, 12)}`;
  return { folder: FOLDER, modFile, kubernetesVersion: version, etcdVersion, key };
}

function kubernetesVersion(modFile: string): string {
  return pinned("k8s.io/kubernetes", modFile);
}

/** `v1.36.3`, as the file requires it. */
function pinned(module: string, modFile: string): string {
  const lines = readFileSync(join(FOLDER, modFile), "utf8").split("\n");
  const [, version] =
    lines.map((line) => line.trim().split(" ")).find(([name]) => name === module) ?? [];
  if (version === undefined) throw new Error(`${modFile} names no ${module}`);
  return version;
}

/** `v1.36.3` → `1.36` */
function minorOf(version: string): string {
  return version.replace(/^v/, "").split(".").slice(0, 2).join(".");
}

/** Where the built binary of this module is kept: outside the tree, shared by all checkouts of one user. */
export function cacheFolder(module: GoModule, env: BuildSurroundings["env"]): string {
  const cache = env["XDG_CACHE_HOME"];
  const root = cache === undefined || cache === "" ? join(homedir(), ".cache") : cache;
  return join(root, "svc-ferry", `controlplane-${module.key}`);
}

/**
 * Builds the module into its cache folder, once however many processes ask at the same time, and returns the folder.
 * The folder appears complete or not at all: it is filled under another name and renamed.
 * @throws Error with the compiler's output when the build fails; the next call tries again
 */
export async function buildControlPlane(
  module: GoModule,
  go: string,
  { env, say }: BuildSurroundings,
): Promise<string> {
  const folder = cacheFolder(module, env);
  const build = async (): Promise<string> => {
    if (!existsSync(folder)) await buildInto(folder, module, go, say);
    return folder;
  };
  return withFileLock(`${folder}.lock`, build, {
    onWait: (pid) =>
      say(`control plane ${module.key}: process ${pid} is building it, waiting for that`),
  });
}

async function buildInto(
  folder: string,
  module: GoModule,
  go: string,
  say: (line: string) => void,
): Promise<void> {
  removeAbandoned(folder);
  const draft = `${folder}.building-${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const stopTelling = tellProgress(module, say);
  try {
    const output = join(draft, "controlplane");
    const flags = linkerFlags(module.kubernetesVersion);
    const from = module.modFile === "go.mod" ? [] : [`-modfile=${module.modFile}`];
    const args = ["build", "-trimpath", "-ldflags", flags, "-o", output, ...from, "."];
    await runCommand(go, args, { cwd: module.folder });
    for (const program of PROGRAMS) symlinkSync("controlplane", join(draft, program));
    renameSync(draft, folder);
  } finally {
    stopTelling();
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Drafts of builders that were killed. Nobody else fills one now: the caller holds the lock. */
function removeAbandoned(folder: string): void {
  const drafts = `${basename(folder)}.building-`;
  for (const name of readdirSync(dirname(folder))) {
    if (name.startsWith(drafts)) rmSync(join(dirname(folder), name), { recursive: true });
  }
}

function tellProgress(module: GoModule, say: (line: string) => void): () => void {
  const begin = performance.now();
  say(
    `control plane ${module.key}: building it with Go; the first time this takes about 5 minutes on two cores`,
  );
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    const elapsed = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    say(`control plane ${module.key}: still building, ${elapsed} so far`);
  }, 15_000);
  return () => clearInterval(timer);
}

/** Without the version a Kubernetes binary calls itself v0.0.0, which its own feature gates refuse. */
function linkerFlags(version: string): string {
  const [major, minor] = minorOf(version).split(".");
  const base = "k8s.io/component-base/version";
  return `-s -w -X ${base}.gitVersion=${version} -X ${base}.gitMajor=${major} -X ${base}.gitMinor=${minor}`;
}
