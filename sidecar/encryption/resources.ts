/**
 * Which providers a resource has. Names are of the API ("deployments.apps"), never paths in etcd: looked up by the beginning
 * of a key, `secrets` would also hit `secretstores`.
 */
import type { EncryptionEntry, ProviderConfig } from "./config.js";
import type { GroupResource } from "./transformer.js";

/** A resource of the configuration: "*" stands for any resource of the group, or (both "*") for all. */
export type ResourcePattern = GroupResource;

const ANY = "*";

/** Keys in etcd that no API resource stands for. */
const NOT_RESOURCES = ["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"];

/** Up to the first dot it is the resource: "*.apps", "*." (the core group), "pods". */
export function parseResource(name: string): ResourcePattern {
  const dot = name.indexOf(".");
  if (dot < 0) return { group: "", resource: name };
  return { group: name.slice(dot + 1), resource: name.slice(0, dot) };
}

export function spelled({ group, resource }: ResourcePattern): string {
  return group === "" && resource !== ANY ? resource : `${resource}.${group}`;
}

/** Why the API server does not take this name; undefined when it does. */
export function refusedName(name: string): string | undefined {
  if (name.toLowerCase() !== name) return "has capital letters; resources are lower case";
  if (name === ANY) return 'must be "*." (all of the core group) or "*.*" (everything)';
  if (NOT_RESOURCES.includes(name)) return "is no API resource and cannot be encrypted";
  const { group, resource } = parseResource(name);
  if (resource === "") return "names no resource";
  if (group === "events.k8s.io") return 'must be "events": events are stored in the core group';
  if (group === "extensions") return "is of the group extensions, which is gone";
  if (group === ANY && resource !== ANY) return "names one resource across groups";
  return undefined;
}

/** `mask` covers all that `pattern` names. */
export function maskedBy(pattern: ResourcePattern, mask: ResourcePattern): boolean {
  return mask.resource === ANY && (mask.group === ANY || mask.group === pattern.group);
}

/**
 * The providers of a resource: of its own entries, else of `*.group`, else of `*.*`; undefined when none names it. A pattern
 * that is in several entries has the providers of all of them, in the file's order.
 */
export function providersOf(
  entries: readonly EncryptionEntry[],
  { group, resource }: GroupResource,
): readonly ProviderConfig[] | undefined {
  const patterns = [
    { group, resource },
    { group, resource: ANY },
    { group: ANY, resource: ANY },
  ];
  return patterns
    .map((pattern) => providersNaming(entries, pattern))
    .find((found) => found.length > 0);
}

function providersNaming(
  entries: readonly EncryptionEntry[],
  pattern: ResourcePattern,
): readonly ProviderConfig[] {
  return entries.flatMap(({ resources, providers }) =>
    resources.some((one) => one.group === pattern.group && one.resource === pattern.resource)
      ? providers
      : [],
  );
}
