/** Who svc-ferry is and what it may do, as manifests/ have it, and the same for an installation of other names. */
import type { Config } from "../../src/config/config.js";
import { leaseNamespace, targetNamespaces } from "../../src/domain/namespaces.js";
import type { Route } from "../../src/domain/route.js";
import type { RoleRule } from "../fixtures/installed-objects.js";
import type { ControlPlane } from "../controlplane/control-plane.js";
import type { Manifest } from "./manifest.js";
import { render } from "./overlay.js";

/** Roles and their bindings of both folders, as kustomize renders them. Plain data: it travels between test processes. */
export interface ShippedRights {
  readonly source: readonly Manifest[];
  readonly destination: readonly Manifest[];
}

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Whose rights, for which configuration. */
export interface RightsRequest {
  readonly config: Config;
  readonly account: Account;
  /** Makes names unique that manifests/ have once in a cluster. */
  readonly suffix: string;
  /**
   * What is needed in mapped namespaces is granted in all of them: for those that come and go while svc-ferry runs, whose Roles
   * would come too late and go too early (docs/install.md).
   */
  readonly everywhere: boolean;
  /** The Secret of the certificates may be made, for tests that delete it: the shipped roles count on an empty one. */
  readonly makesSecret: boolean;
}

const KINDS = new Set(["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]);

export async function renderShippedRights(
  kubectl: Pick<ControlPlane, "kubectl">,
): Promise<ShippedRights> {
  const rights = async (folder: string): Promise<readonly Manifest[]> =>
    (await render(kubectl, folder)).filter(({ kind }) => KINDS.has(kind));
  return {
    source: await rights("manifests/source"),
    destination: await rights("manifests/destination"),
  };
}

/** What of manifests/source an installation with this configuration needs. */
export function sourceRights(shipped: ShippedRights, request: RightsRequest): readonly Manifest[] {
  const { lease, routes, webhook } = request.config;
  const namespaces = mapped(routes.map((route) => route.namespaces));
  const names: Names = {
    namespaces: { "k8s-sync": [lease.namespace], default: namespaces },
    objects: {
      "k8s-svc-sync-leader": [lease.name],
      "svc-ferry": [webhook.configuration],
      default: namespaces,
    },
  };
  const objects = shipped.source.flatMap((object) => {
    const isMapped = object.metadata.name === "svc-ferry-source";
    return renamed(isMapped && request.everywhere ? inCluster(object) : object, request, names);
  });
  return request.makesSecret
    ? [...objects, ...maker("secrets", lease.namespace, request)]
    : objects;
}

/** What it needs of manifests/destination in one destination, where some of its routes lead to. */
export function destinationRights(
  shipped: ShippedRights,
  request: RightsRequest,
  routes: readonly Route[],
): readonly Manifest[] {
  const namespaces = mapped([targetNamespaces(routes)]);
  const { account, everywhere } = request;
  const names = (targets: readonly string[]): Names => ({
    namespaces: { default: ["default"], "svc-ferry": [account.namespace], "prod-test": targets },
    objects: { "prod-test": namespaces, "svc-ferry": [account.name] },
  });
  const objects = shipped.destination.flatMap((object) => {
    const { name, namespace } = object.metadata;
    const isOfTargets = namespace === "prod-test";
    const targets = name === "svc-ferry-link" ? [leaseNamespace(routes)] : namespaces;
    return renamed(isOfTargets && everywhere ? inCluster(object) : object, request, names(targets));
  });
  return routes.some(({ createNamespace }) => createNamespace)
    ? [...objects, ...maker("namespaces", undefined, request)]
    : objects;
}

/** What some configurations need beside the shipped roles (docs/install.md). @param namespace undefined: in the cluster */
function maker(
  resource: string,
  namespace: string | undefined,
  { account, suffix }: RightsRequest,
): readonly Manifest[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  const name = `svc-ferry-make-${resource}-${suffix}`;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const rules = [{ apiGroups: [""], resources: [resource], verbs: ["create"] }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name };
  const subjects = [{ kind: "ServiceAccount", ...account }];
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects },
  ];
}

/** A Role or its binding as one of the whole cluster. */
function inCluster(object: Manifest): Manifest {
  const { namespace: _, ...metadata } = object.metadata;
  const roleRef = object["roleRef"] as object | undefined;
  return {
    ...object,
    kind: `Cluster${object.kind}`,
    metadata,
    ...(roleRef === undefined ? {} : { roleRef: { ...roleRef, kind: "ClusterRole" } }),
  };
}

/** What stands for one name of the manifests: of namespaces, an object in each; of objects, each in the rule. */
interface Names {
  readonly namespaces: Readonly<Record<string, readonly string[]>>;
  readonly objects: Readonly<Record<string, readonly string[]>>;
}

function renamed(object: Manifest, request: RightsRequest, names: Names): readonly Manifest[] {
  const { namespace } = object.metadata;
  const places = namespace === undefined ? [undefined] : names.namespaces[namespace];
  if (places === undefined) throw new Error(`no namespace stands for ${namespace}`);
  return places.map((place) => inPlace(object, place, request, names));
}

function inPlace(
  object: Manifest,
  namespace: string | undefined,
  { account, suffix }: RightsRequest,
  names: Names,
): Manifest {
  const name = `${object.metadata.name}-${suffix}`;
  const common = {
    ...object,
    metadata: { ...object.metadata, name, ...(namespace === undefined ? {} : { namespace }) },
  };
  if (!object.kind.endsWith("Binding")) {
    const rules = object["rules"] as readonly RoleRule[];
    return { ...common, rules: rules.map((rule) => forNames(rule, names.objects)) };
  }
  const roleRef = object["roleRef"] as { readonly name: string };
  return {
    ...common,
    roleRef: { ...roleRef, name: `${roleRef.name}-${suffix}` },
    subjects: [{ kind: "ServiceAccount", ...account }],
  };
}

function forNames(rule: RoleRule, objects: Names["objects"]): RoleRule {
  const { resourceNames } = rule;
  if (resourceNames === undefined) return rule;
  return { ...rule, resourceNames: resourceNames.flatMap((name) => objects[name] ?? [name]) };
}

function mapped(lists: readonly (readonly string[] | "all")[]): readonly string[] {
  return [
    ...new Set(
      lists.flatMap((list) => {
        if (list === "all") throw new Error("no test here has a route of all namespaces");
        return list;
      }),
    ),
  ];
}
