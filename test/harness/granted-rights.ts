import type { Config } from "../../src/config/config.js";
import type { RoleRule } from "../fixtures/installed-objects.js";
import type { KubeconfigEntry } from "../controlplane/kubeconfig.js";
import type { Cluster } from "./cluster.js";
import type { Manifest } from "./manifest.js";
import {
  type Account,
  destinationRights,
  type RightsRequest,
  type ShippedRights,
  sourceRights,
} from "./shipped-rights.js";
import { waitFor } from "./wait-for.js";

/** As which of its two accounts svc-ferry asks a cluster. */
export type Role = "source" | "destination";

/** Their names, by which audit logs tell them from whoever else uses a cluster; manifests/ give both the name svc-ferry. */
export const ACCOUNT_NAMES: Readonly<Record<Role, string>> = {
  source: "svc-ferry-source",
  destination: "svc-ferry-destination",
};

/** What a test needs beyond the shipped roles, as the docs tell to grant it. */
export interface Beyond {
  /** Where the rights of mapped namespaces are granted in all namespaces, because the test makes and deletes some. */
  readonly everywhere?: readonly Role[];
  /** The test deletes the Secret of the certificates, and the leader is to make it anew. */
  readonly makesSecret?: boolean;
}

/** One cluster of a test file. */
interface Place {
  readonly cluster: Cluster;
  /** Where accounts are made; removed with everything in it by whoever made it. */
  readonly home: string;
}

/**
 * Accounts in clusters that many installations share, each with what the shipped roles grant for its configuration, and
 * no more. An administrator makes them, as a platform team does.
 */
export class GrantedRights {
  readonly #applied = new Set<string>();
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #ofClusters: { readonly cluster: Cluster; readonly object: Manifest }[] = [];

  constructor(
    private readonly shipped: ShippedRights,
    private readonly id: string,
    /** By the names of the contexts in kubeconfigs. */
    private readonly places: Readonly<Record<string, Place>>,
  ) {}

  /** The context as that account has it in a kubeconfig. */
  async access(context: string, role: Role): Promise<KubeconfigEntry> {
    const place = this.#place(context);
    const key = `${context} ${role}`;
    const token = this.#tokens.get(key) ?? this.#makeToken(place, role);
    this.#tokens.set(key, token);
    return { context, controlPlane: place.cluster.connection, token: await token };
  }

  /**
   * Resolves when everything that this configuration needs is granted. Roles in namespaces that are not there are left out.
   */
  async grant(config: Config, { everywhere = [], makesSecret = false }: Beyond): Promise<void> {
    const { source, destinations, routes, lease } = config;
    const from = contextOf(source.access);
    const request = (context: string, role: Role): RightsRequest => ({
      config,
      account: this.#account(context, context === from ? "source" : "destination"),
      suffix: `${lease.name}-${this.id}-${role}`,
      everywhere: everywhere.includes(role),
      makesSecret,
    });
    await this.#apply(from, sourceRights(this.shipped, request(from, "source")));
    for (const { name, access } of destinations) {
      const to = contextOf(access);
      const leading = routes.filter(({ destination }) => destination === name);
      // A destination that nobody reaches has no place here.
      if (this.places[to] === undefined || leading.length === 0) continue;
      const own = request(to, "destination");
      const suffix = `${own.suffix}-${name}`;
      await this.#apply(to, destinationRights(this.shipped, { ...own, suffix }, leading));
    }
  }

  /** Objects that are in no namespace. */
  async remove(): Promise<void> {
    for (const { cluster, object } of this.#ofClusters) {
      const { kind, metadata } = object;
      await cluster.remove(kind, metadata.namespace, metadata.name);
    }
  }

  async #makeToken(place: Place, role: Role): Promise<string> {
    const { cluster, home } = place;
    const metadata = { namespace: home, name: ACCOUNT_NAMES[role] };
    await cluster.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata });
    const path = `/api/v1/namespaces/${home}/serviceaccounts/${metadata.name}/token`;
    const { body } = await cluster.request("POST", path, {});
    return (body as { readonly status: { readonly token: string } }).status.token;
  }

  async #apply(context: string, objects: readonly Manifest[]): Promise<void> {
    const { cluster } = this.#place(context);
    const news = objects.filter((object) => !this.#applied.has(keyOf(context, object)));
    await Promise.all(
      news.map(async (object) => {
        const { namespace } = object.metadata;
        const isThere =
          namespace === undefined ||
          (await cluster.get("Namespace", undefined, namespace)) !== undefined;
        if (!isThere) return;
        await cluster.apply(object);
        this.#applied.add(keyOf(context, object));
        if (namespace === undefined || namespace === "default") {
          this.#ofClusters.push({ cluster, object });
        }
      }),
    );
    const counts = news.filter((object) => this.#applied.has(keyOf(context, object)));
    await Promise.all(counts.map(async (object) => untilItCounts(cluster, object, counts)));
  }

  #account(context: string, role: Role): Account {
    return { namespace: this.#place(context).home, name: ACCOUNT_NAMES[role] };
  }

  #place(context: string): Place {
    const place = this.places[context];
    if (place === undefined) throw new Error(`no cluster has the context ${context}`);
    return place;
  }
}

function contextOf(access: Config["source"]["access"]): string {
  if (access.kind === "kubeconfig") return access.context;
  throw new Error("tests reach clusters by a kubeconfig");
}

function keyOf(context: string, object: Manifest): string {
  return `${context} ${JSON.stringify(object)}`;
}

/** Authorizers learn of roles and bindings by watches, a few milliseconds later. */
async function untilItCounts(
  cluster: Cluster,
  binding: Manifest,
  all: readonly Manifest[],
): Promise<void> {
  if (!binding.kind.endsWith("Binding")) return;
  const { namespace } = binding.metadata;
  const [subject] = binding["subjects"] as readonly Account[];
  const ref = binding["roleRef"] as { readonly kind: string; readonly name: string };
  const role = all.find(({ kind, metadata }) => kind === ref.kind && metadata.name === ref.name);
  const rules = (role?.["rules"] ?? []) as readonly RoleRule[];
  const user = `system:serviceaccount:${subject?.namespace}:${subject?.name}`;
  await Promise.all(
    rules.map(async ({ apiGroups, resources, resourceNames, verbs }) => {
      const [resource, subresource] = (resources[0] ?? "").split("/");
      const resourceAttributes = {
        verb: verbs[0],
        group: apiGroups[0],
        resource,
        subresource,
        name: resourceNames?.[0],
        namespace,
      };
      const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview" };
      const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
      await waitFor(
        async () => {
          const body = { ...review, spec: { user, resourceAttributes } };
          const answer = await cluster.request("POST", path, body);
          return (answer.body as { status?: { allowed?: boolean } }).status?.allowed;
        },
        { what: `${user} to be allowed ${JSON.stringify(resourceAttributes)}`, everyMs: 5 },
      );
    }),
  );
}
