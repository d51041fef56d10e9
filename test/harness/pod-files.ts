import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Cluster } from "./cluster.js";
import type { Stored } from "./manifest.js";
import type { PodObject, PodVolume, ProjectedSource } from "./pod-object.js";

/** Where mounts come from. */
export type MountSource = Pick<Cluster, "get" | "request">;

/** Content by file name. */
type Files = ReadonlyMap<string, string>;

/**
 * Writes what the pod's container mounts below `root`, from the API as the kubelet does it. Called again it brings what has
 * changed meanwhile.
 * @throws Error when a Secret or ConfigMap is not there: the pod waits
 */
export async function writeMounts(
  cluster: MountSource,
  pod: PodObject,
  root: string,
): Promise<void> {
  const [container] = pod.spec.containers;
  for (const { name, mountPath } of container?.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((one) => one.name === name);
    if (volume === undefined) throw new Error(`${name} is no volume of ${pod.metadata.name}`);
    const folder = join(root, mountPath);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of await filesOf(cluster, pod, volume))
      exchange(join(folder, file), text);
  }
}

/** Whole or not at all: whoever reads it meanwhile has the old one. */
function exchange(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

async function filesOf(cluster: MountSource, pod: PodObject, volume: PodVolume): Promise<Files> {
  if (volume.configMap !== undefined) return configMap(cluster, pod, volume.configMap.name);
  if (volume.secret !== undefined) return secret(cluster, pod, volume.secret.secretName);
  const parts = await Promise.all(
    (volume.projected?.sources ?? []).map(async (source) => projected(cluster, pod, source)),
  );
  return new Map(parts.flatMap((part) => [...part]));
}

async function projected(
  cluster: MountSource,
  pod: PodObject,
  { serviceAccountToken, configMap: map, downwardAPI }: ProjectedSource,
): Promise<Files> {
  if (serviceAccountToken !== undefined) {
    const { path, expirationSeconds } = serviceAccountToken;
    return new Map([[path, await boundToken(cluster, pod, expirationSeconds)]]);
  }
  if (map !== undefined) {
    const all = await configMap(cluster, pod, map.name);
    return new Map(map.items.map(({ key, path }) => [path, all.get(key) ?? ""]));
  }
  const items = downwardAPI?.items ?? [];
  return new Map(items.map(({ path, fieldRef }) => [path, fieldOf(pod, fieldRef.fieldPath)]));
}

/** Bound to the very pod: with it the token ends. */
async function boundToken(
  cluster: MountSource,
  { metadata, spec }: PodObject,
  expirationSeconds: number,
): Promise<string> {
  const { namespace, name, uid } = metadata;
  const { status, body } = await cluster.request(
    "POST",
    `/api/v1/namespaces/${namespace}/serviceaccounts/${spec.serviceAccountName}/token`,
    { spec: { expirationSeconds, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } } },
  );
  if (status !== 201) throw new Error(`no token for ${name}: ${JSON.stringify(body)}`);
  return (body as { readonly status: { readonly token: string } }).status.token;
}

async function configMap(cluster: MountSource, pod: PodObject, name: string): Promise<Files> {
  return entries(
    await cluster.get("ConfigMap", pod.metadata.namespace, name),
    name,
    (text) => text,
  );
}

async function secret(cluster: MountSource, pod: PodObject, name: string): Promise<Files> {
  const object = await cluster.get("Secret", pod.metadata.namespace, name);
  return entries(object, name, (text) => Buffer.from(text, "base64").toString());
}

function entries(
  object: Stored | undefined,
  name: string,
  decoded: (text: string) => string,
): Files {
  if (object === undefined) throw new Error(`${name} is not there`);
  const data = (object["data"] ?? {}) as Readonly<Record<string, string>>;
  return new Map(Object.entries(data).map(([key, text]) => [key, decoded(text)]));
}

/** Of those that the downward API knows, what the manifests ask for. */
export function fieldOf({ metadata, status }: PodObject, path: string): string {
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace;
    case "status.podIP":
      return status?.podIP ?? "";
    default:
      throw new Error(`the field ${path} is not known here`);
  }
}

/** A cluster that is reached by what is mounted into the pod. */
export interface OwnCluster {
  /** Of the context that is added. */
  readonly context: string;
  readonly server: string;
  /** A ServiceAccount's mount. */
  readonly folder: string;
}

/** A kubeconfig with one context more: the pod's own cluster, as whom the pod is. */
export function withOwnCluster(text: string, { context, server, folder }: OwnCluster): string {
  const file = parse(text) as Readonly<Record<string, readonly object[] | string>>;
  const more = (key: string, value: object): readonly object[] => [
    ...((file[key] ?? []) as readonly object[]),
    { name: context, ...value },
  ];
  const cluster = { server, "certificate-authority": join(folder, "ca.crt") };
  return stringify({
    ...file,
    clusters: more("clusters", { cluster }),
    users: more("users", { user: { tokenFile: join(folder, "token") } }),
    contexts: more("contexts", { context: { cluster: context, user: context } }),
  });
}
