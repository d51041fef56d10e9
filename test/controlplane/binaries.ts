import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  buildControlPlane,
  type BuildSurroundings,
  cacheFolder,
  goModule,
  type GoModule,
  RELEASE_VARIABLE,
} from "./build.js";
import { environment } from "./environment.js";

/** Absolute paths of the programs of a control plane. */
export interface Binaries {
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly etcd: string;
  readonly kubectl: string;
  /** The folder in which etcdctl and etcdutl are sought too; only snapshots need them. */
  readonly etcdctl: string | undefined;
  readonly etcdutl: string | undefined;
  /** Where they came from, for people. */
  readonly origin: string;
}

const REQUIRED = ["kube-apiserver", "etcd", "kubectl", "kube-controller-manager"] as const;

/**
 * Finds a control plane, in this order: the folder KUBEBUILDER_ASSETS, PATH, the build cache, a build with Go.
 * A place counts only when it has all four required programs (the archives that others use for KUBEBUILDER_ASSETS lack
 * kube-controller-manager, without which there are no endpoints); what a given folder lacks is said. Where a release of
 * Kubernetes is asked for, only the last two are: who knows of which release the others are.
 * @throws Error that names every way when none works
 */
export async function locateBinaries(
  surroundings: BuildSurroundings = { env: environment(), say: sayOnStderr },
): Promise<Binaries> {
  const release = surroundings.env[RELEASE_VARIABLE];
  if (release === undefined || release === "") return anyBinaries(surroundings);
  return builtBinaries(goModule(release), surroundings);
}

async function anyBinaries(surroundings: BuildSurroundings): Promise<Binaries> {
  const { env, say } = surroundings;
  const assets = env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "") {
    const found = inFolders([assets], "KUBEBUILDER_ASSETS");
    if (found.kind === "found") return found.binaries;
    say(`KUBEBUILDER_ASSETS=${assets} lacks ${found.missing.join(", ")}: looking elsewhere`);
  }
  const onPath = inFolders(pathFolders(env), "PATH");
  if (onPath.kind === "found") return onPath.binaries;
  return builtBinaries(goModule(), surroundings);
}

async function builtBinaries(module: GoModule, surroundings: BuildSurroundings): Promise<Binaries> {
  const { env } = surroundings;
  const cache = cacheFolder(module, env);
  const cached = inFolders([cache], "cache");
  if (cached.kind === "found") return cached.binaries;

  const go = findProgram("go", [...pathFolders(env), "/usr/local/go/bin"]);
  if (go === undefined) throw new Error(noWay(cache));
  const built = inFolders([await buildControlPlane(module, go, surroundings)], "built with Go");
  if (built.kind === "found") return built.binaries;
  throw new Error(`the build in ${cache} is damaged (no ${built.missing.join(", ")}): remove it`);
}

function pathFolders(env: BuildSurroundings["env"]): readonly string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}

type LookUp =
  | { readonly kind: "found"; readonly binaries: Binaries }
  | { readonly kind: "incomplete"; readonly missing: readonly string[] };

function inFolders(folders: readonly string[], origin: string): LookUp {
  const [apiServer, etcd, kubectl, controllerManager] = REQUIRED.map((name) =>
    findProgram(name, folders),
  );
  if (
    apiServer === undefined ||
    etcd === undefined ||
    kubectl === undefined ||
    controllerManager === undefined
  ) {
    const missing = REQUIRED.filter((name) => findProgram(name, folders) === undefined);
    return { kind: "incomplete", missing };
  }
  const [etcdctl, etcdutl] = ["etcdctl", "etcdutl"].map((name) => findProgram(name, folders));
  const binaries = { apiServer, controllerManager, etcd, kubectl, etcdctl, etcdutl, origin };
  return { kind: "found", binaries };
}

function findProgram(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function noWay(cache: string): string {
  return [
    "no Kubernetes control plane found for the tests. One of these helps:",
    `  - install Go (1.26 or newer): it is then built once, in about 5 minutes, into ${cache}`,
    `  - put ${REQUIRED.join(", ")} on PATH`,
    `  - point KUBEBUILDER_ASSETS at a folder that has all of these`,
    "  - copy that cache folder from a machine of the same platform that has it",
  ].join("\n");
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
