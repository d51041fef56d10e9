/** Checks of metadata that the API server makes for every kind. */
import type { KubeObject, ObjectMeta } from "../../src/ports/kube-api.js";
import type { Problem } from "./api-failure.js";
import { omitEmpty } from "./json.js";

const LABEL_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Without empty maps and lists: the server does not store them (measured). */
export function completeMetadata(object: KubeObject): KubeObject {
  return { ...object, metadata: omitEmpty(object.metadata) };
}

/** `dnsLabel`: the name must be a DNS label (Services), else a DNS subdomain. Both RFC 1123, so a leading digit is legal: measured for Services of 1.36, where older servers want RFC 1035. */
export function metadataProblems(metadata: ObjectMeta, dnsLabel: boolean): Problem[] {
  return [
    ...nameProblems(metadata.name, dnsLabel),
    ...Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => labelProblems(key, value)),
    ...Object.keys(metadata.annotations ?? {}).flatMap((key) =>
      keyProblems("metadata.annotations", key),
    ),
    ...(metadata.ownerReferences ?? [])
      .filter((owner) => !owner.uid || !owner.name || !owner.kind || !owner.apiVersion)
      .map(() => ({
        field: "metadata.ownerReferences.uid",
        what: 'Invalid value: "": must not be empty',
      })),
  ];
}

/** Updates may neither exchange the object nor add finalizers to one that is being deleted. */
export function updateProblems(after: ObjectMeta, before: ObjectMeta): Problem[] {
  const problems: Problem[] = [];
  if (before.deletionTimestamp !== undefined) {
    const had = before.finalizers ?? [];
    if ((after.finalizers ?? []).some((finalizer) => !had.includes(finalizer))) {
      problems.push({
        field: "metadata.finalizers",
        what: "Forbidden: no new finalizers can be added if the object is being deleted",
      });
    }
  }
  return problems;
}

function nameProblems(name: string, dnsLabel: boolean): Problem[] {
  const [pattern, limit] = dnsLabel ? [DNS_LABEL, 63] : [SUBDOMAIN, 253];
  const what = (why: string): Problem[] => [
    { field: "metadata.name", what: `Invalid value: "${name}": ${why}` },
  ];
  if (name.length > limit) return what(`must be no more than ${limit} characters`);
  return pattern.test(name) ? [] : what("a lowercase RFC 1123 name is required");
}

function labelProblems(key: string, value: string): Problem[] {
  const bad = value.length > 63 || !LABEL_VALUE.test(value);
  return [
    ...keyProblems("metadata.labels", key),
    ...(bad ? [{ field: "metadata.labels", what: `Invalid value: "${value}"` }] : []),
  ];
}

function keyProblems(field: string, key: string): Problem[] {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const good =
    name.length <= 63 &&
    LABEL_PART.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix.toLowerCase())));
  return good ? [] : [{ field, what: `Invalid value: "${key}"` }];
}
