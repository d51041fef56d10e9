import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import type { ClusterConnection } from "../controlplane/kubeconfig.js";
import type { Manifest, Stored } from "./manifest.js";

/** How a Pod differs from a plain one. */
export interface PodOptions {
  /** Default true. */
  readonly ready?: boolean;
  /** Default "node"; the endpoint-slice controller skips Pods of Nodes that do not exist. */
  readonly node?: string;
  /** Named container ports, for Services with a named targetPort. */
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  /** Default 0: a deleted Pod is gone at once. More: it terminates until removed by force, there is no kubelet. */
  readonly graceSeconds?: number;
}

/** An answer of the API server, of whatever status. */
export interface Answer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
  /** What kubectl prints behind "Warning: ". */
  readonly warnings: readonly string[];
}

/** Where kinds live that tests name without their group; all else is written `apps/v1/Deployment`. */
const GROUP_VERSIONS: Readonly<Record<string, string>> = {
  EndpointSlice: "discovery.k8s.io/v1",
  Lease: "coordination.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
  CustomResourceDefinition: "apiextensions.k8s.io/v1",
  MutatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
  ValidatingWebhookConfiguration: "admissionregistration.k8s.io/v1",
};

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * One cluster as a test drives it: an administrator's direct HTTPS calls, a few milliseconds each (kubectl takes some
 * 100 ms). Kinds are named `Service` or `apps/v1/Deployment`; the namespace is undefined for cluster-scoped ones.
 * Every call throws an Error with the server's message when it fails.
 */
export class Cluster {
  readonly #agent: Agent;
  readonly #discovered = new Map<string, Promise<readonly ApiResource[]>>();

  /** @param user on whose behalf the administrator asks; undefined: the administrator himself */
  constructor(
    readonly connection: ClusterConnection,
    private readonly user?: string,
  ) {
    this.#agent = new Agent({ connect: { ca: connection.ca }, connections: 32 });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Creates or changes an object (server-side apply, conflicts overridden). */
  async apply(object: Manifest): Promise<Stored> {
    const { metadata } = object;
    const path = await this.#path(
      `${object.apiVersion}/${object.kind}`,
      metadata.namespace,
      metadata.name,
    );
    const query = "?fieldManager=test&force=true";
    return this.#write("PATCH", path + query, object, "application/apply-patch+yaml");
  }

  /** POST: fails when it exists. */
  async create(object: Manifest): Promise<Stored> {
    const { apiVersion, kind, metadata } = object;
    return this.#write(
      "POST",
      await this.#path(`${apiVersion}/${kind}`, metadata.namespace),
      object,
    );
  }

  /** JSON merge patch. */
  async patch(
    kind: string,
    namespace: string | undefined,
    name: string,
    patch: object,
  ): Promise<Stored> {
    const path = await this.#path(kind, namespace, name);
    return this.#write("PATCH", path, patch, "application/merge-patch+json");
  }

  /** undefined when there is no such object. */
  async get(
    kind: string,
    namespace: string | undefined,
    name: string,
  ): Promise<Stored | undefined> {
    const answer = await this.request("GET", await this.#path(kind, namespace, name));
    return answer.status === 404 ? undefined : (succeeded(answer) as Stored);
  }

  /** All, of all namespaces when `namespace` is undefined. */
  async list(kind: string, namespace?: string, labelSelector?: string): Promise<readonly Stored[]> {
    const query =
      labelSelector === undefined ? "" : `?labelSelector=${encodeURIComponent(labelSelector)}`;
    const answer = await this.request("GET", (await this.#path(kind, namespace)) + query);
    return (succeeded(answer) as { readonly items: readonly Stored[] }).items;
  }

  /** Pods go by force: there is no kubelet that would let go of them. No error when it is not there. */
  async remove(kind: string, namespace: string | undefined, name: string): Promise<void> {
    const body = kind === "Pod" ? { gracePeriodSeconds: 0 } : undefined;
    const path = await this.#path(kind, namespace, name);
    const answer = await this.request("DELETE", path, body);
    if (answer.status !== 404) succeeded(answer);
  }

  /** Resolves when Pods can be created in it, that is, when the controller manager has given it a ServiceAccount. */
  async createNamespace(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    for (let left = 400; left > 0; left--) {
      if ((await this.get("ServiceAccount", name, "default")) !== undefined) return;
      await sleep(25);
    }
    throw new Error(`namespace ${name} got no ServiceAccount within 10 s`);
  }

  /** A Node that nobody watches over: Pods may name it. */
  async createNode(name = "node"): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "Node", metadata: { name } });
  }

  /** A Pod that runs on paper: bound to a Node, with an address (one per family), ready unless told otherwise. */
  async createPod(
    namespace: string,
    name: string,
    labels: Readonly<Record<string, string>>,
    addresses: string | readonly string[],
    options: PodOptions = {},
  ): Promise<void> {
    const { ready = true, node = "node", ports = [], graceSeconds = 0 } = options;
    await this.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name, labels },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: graceSeconds,
        automountServiceAccountToken: false,
        containers: [{ name: "main", image: "example.invalid/none", ports }],
      },
    });
    const ips = [addresses].flat();
    await this.#patchPodStatus(namespace, name, {
      phase: "Running",
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
      conditions: readiness(ready),
    });
  }

  async setPodReady(namespace: string, name: string, ready: boolean): Promise<void> {
    await this.#patchPodStatus(namespace, name, { conditions: readiness(ready) });
  }

  /** Any request; `path` begins with a slash. Resolves whatever the status is. */
  async request(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
  ): Promise<Answer> {
    const response = await request(this.connection.server + path, {
      method: method as "GET",
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.connection.token}`,
        "content-type": contentType,
        ...(this.user === undefined ? {} : impersonating(this.user)),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    const isJson = String(response.headers["content-type"]).startsWith("application/json");
    const warnings = [response.headers["warning"] ?? []].flat().map(warningText);
    return { status: response.statusCode, body: isJson ? JSON.parse(text) : text, warnings };
  }

  async #patchPodStatus(namespace: string, name: string, status: object): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    await this.#write("PATCH", path, { status }, "application/merge-patch+json");
  }

  async #write(method: string, path: string, body: unknown, contentType?: string): Promise<Stored> {
    return succeeded(await this.request(method, path, body, contentType)) as Stored;
  }

  async #path(kind: string, namespace?: string, name?: string): Promise<string> {
    const slash = kind.lastIndexOf("/");
    const bare = kind.slice(slash + 1);
    const groupVersion = slash === -1 ? (GROUP_VERSIONS[bare] ?? "v1") : kind.slice(0, slash);
    const root = groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
    const resource = (await this.#resources(root)).find(
      (one) => one.kind === bare && !one.name.includes("/"),
    );
    if (resource === undefined) throw new Error(`${root} serves no ${bare}`);
    const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : "";
    return `${root}${scope}/${resource.name}${name === undefined ? "" : `/${name}`}`;
  }

  async #resources(root: string): Promise<readonly ApiResource[]> {
    const known =
      this.#discovered.get(root) ??
      this.request("GET", root).then(
        (answer) => (succeeded(answer) as { resources: readonly ApiResource[] }).resources,
      );
    this.#discovered.set(root, known);
    return known;
  }
}

function readiness(ready: boolean): readonly object[] {
  const status = ready ? "True" : "False";
  return ["Ready", "ContainersReady"].map((type) => ({ type, status }));
}

/** An administrator as well, but for the name. */
function impersonating(user: string): Readonly<Record<string, string>> {
  return { "impersonate-user": user, "impersonate-group": "system:masters" };
}

/** `299 - "text"` with the text's quotes escaped. */
function warningText(header: string): string {
  const text = Buffer.from(header, "latin1").toString("utf8");
  return text.replace(/^299 \S+ "(.*)"$/s, "$1").replaceAll('\\"', '"');
}

function succeeded({ status, body }: Answer): unknown {
  if (status < 300) return body;
  const { message } = body as { readonly message?: string };
  throw new Error(`${status}: ${message ?? JSON.stringify(body)}`);
}
