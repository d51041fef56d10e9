/** The destinations of a configuration: the flags' one, or the file's list. */
import type { ConfigFile, FileEntry } from "./config-file.js";
import type { ClusterAccess } from "../ports/clusters.js";
import type { Destination } from "./config.js";
import type { FileDestination } from "./file-schema.js";
import type { GivenSettings } from "./given.js";
import { problem, type Problem } from "./problems.js";
import { SETTINGS } from "./settings.js";

/** @param problems what is wrong is added here */
export function destinations(
  given: GivenSettings,
  file: ConfigFile | undefined,
  problems: Problem[],
): readonly Destination[] {
  const path = given.kubeconfigPath();
  const context = given.read(SETTINGS.dstContext);
  const listed = file?.destinations;
  if (listed === undefined) {
    const access: ClusterAccess = { kind: "kubeconfig", path, context: context.value };
    return [{ name: context.value, access, paused: false }];
  }
  if (context.explicit) {
    const reason = "is given together with destinations in the file; give the one or the other";
    problems.push(problem(context.label, reason, { value: context.text }));
  }
  const named = listed.flatMap((entry) => {
    const access = accessOf(entry, path, problems);
    const name =
      entry.value.name ?? (access?.kind === "kubeconfig" ? access.context : "in-cluster");
    return access === undefined
      ? []
      : [{ entry, destination: { name, access, paused: entry.value.paused ?? false } }];
  });
  const seen = new Set<string>();
  for (const { entry, destination } of named) {
    if (seen.has(destination.name)) {
      const value = destination.name;
      problems.push(problem(entry.label("name"), "is the name of two destinations", { value }));
    }
    seen.add(destination.name);
  }
  return named.map(({ destination }) => destination);
}

function accessOf(
  { value, label }: FileEntry<FileDestination>,
  defaultPath: string | undefined,
  problems: Problem[],
): ClusterAccess | undefined {
  const inCluster = value.inCluster ?? false;
  if (inCluster && value.context === undefined && value.kubeconfig === undefined) {
    return { kind: "in-cluster" };
  }
  if (inCluster || value.context === undefined) {
    problems.push(
      problem(label(), inCluster ? "says inCluster and a context" : "names no cluster", {
        allowed: "either context (with or without kubeconfig) or inCluster: true",
      }),
    );
    return undefined;
  }
  return { kind: "kubeconfig", path: value.kubeconfig ?? defaultPath, context: value.context };
}
