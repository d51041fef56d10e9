/** Names of things: one Service in one cluster, as "namespace/name". */

/** "namespace/name"; neither part holds a slash. */
export type ServiceKey = `${string}/${string}`;

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}`;
}

/** Of anything that has both parts, a Service above all. */
export function keyOf({ namespace, name }: NamespacedName): ServiceKey {
  return serviceKey(namespace, name);
}

export function splitKey(key: ServiceKey): NamespacedName {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
