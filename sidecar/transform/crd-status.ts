import { readCrd } from "../keys/crd.js";
import { parseStored } from "../wire/parse.js";
import type { StoredObject } from "../wire/stored-object.js";

/**
 * The status that a CRD must have in the destination. Conditions and accepted names are its API server's own, which fills them
 * in. But `storedVersions` says which versions may still lie in etcd, and no API server finds that out for objects that were
 * written past it: a version that is missing there could be taken out of the CRD, and its objects could be read no more.
 *
 * A version that the source has taken out of the CRD leaves the list as well: API servers take no change of a CRD whose list names one
 * that it does not have. Source: apiextensions-apiserver pkg/apis/apiextensions/validation,
 * ValidateCustomResourceDefinitionStoredVersions.
 *
 * @returns a value whose status is to be taken; undefined when the CRD cannot be read
 */
export function crdStatus(
  source: StoredObject,
  existing: StoredObject | undefined,
): StoredObject | undefined {
  const crd = readCrd(source);
  if (crd.kind !== "crd") return undefined;
  const before = existing === undefined ? {} : statusOf(existing);
  const versions = new Set([
    ...texts(before["storedVersions"]),
    ...texts(statusOf(source)["storedVersions"]),
    crd.crd.storageVersion,
  ]);
  const { apiVersion, kind } = source;
  const storedVersions = [...versions].filter((version) =>
    crd.crd.versions.some(({ name }) => name === version),
  );
  const status = { ...before, storedVersions };
  const value = Buffer.from(JSON.stringify({ kind, apiVersion, metadata: {}, status }), "utf8");
  const parsed = parseStored(value);
  return parsed.kind === "object" ? parsed.object : undefined;
}

function statusOf(object: StoredObject): Readonly<Record<string, unknown>> {
  const root: unknown = JSON.parse(object.bytes.toString("utf8"));
  const status = isRecord(root) ? root["status"] : undefined;
  return isRecord(status) ? status : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
