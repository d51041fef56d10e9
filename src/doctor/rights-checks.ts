/** May svc-ferry do what it has to? One question to the authorizer for each verb: lists of rules are incomplete on some clouds. */
import type { NeededRight } from "../domain/needed-rights.js";
import type { Feature } from "../domain/right.js";
import type { Account, Remedy } from "../ports/doctor-report.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import { fail, ok, skip, warn, type Check, type Outcome } from "./check.js";
import { kubectl, prefixOf, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";

export interface RightsParts {
  readonly account: Account;
  /** Of the Lease, where svc-ferry's pods are. */
  readonly namespace: string;
}

/** Without these something is less good, and svc-ferry says so; without all others it does not work. */
const DISPENSABLE: ReadonlySet<Feature> = new Set([
  "events",
  "strays",
  "gone-namespaces",
  "families",
  "renewal",
]);

export function rightsChecks(
  subject: ClusterSubject,
  needed: readonly NeededRight[],
  parts: RightsParts,
): readonly Check[] {
  return needed.map((one) => ({
    id: `${prefixOf(subject)}-rbac:${one.verb}:${one.right.resource}`,
    section: sectionOf(subject),
    subject: objectText(subject, one),
    pre: true,
    needs: [reachKey(subject)],
    run: async (signal) => mayDo(await subject.open(), one, { subject, parts, signal }),
  }));
}

/** "eks-b prod/web", "eks-b namespace prod", "eks-b kube-system", "eks-b" */
function objectText({ name: cluster }: ClusterSubject, { namespace, name }: NeededRight): string {
  if (namespace === undefined) return [cluster, name].filter(Boolean).join(" ");
  return name === undefined
    ? `${cluster} namespace ${namespace}`
    : `${cluster} ${namespace}/${name}`;
}

interface Question {
  readonly subject: ClusterSubject;
  readonly parts: RightsParts;
  readonly signal: AbortSignal;
}

async function mayDo(
  cluster: InspectedCluster,
  needed: NeededRight,
  { subject, parts, signal }: Question,
): Promise<Outcome> {
  const allowed = await review(cluster, needed, parts.account, signal);
  if (allowed === undefined) {
    return skip("whoever asks may not ask for others", {
      text: "ask in a pod of svc-ferry, for its own rights",
      command: `kubectl -n ${parts.namespace} exec deploy/svc-ferry -- svc-ferry doctor`,
    });
  }
  const { right, verb } = needed;
  const what = `${verb} ${right.resource}${right.group === "" ? "" : `.${right.group}`}`;
  const where = needed.namespace === undefined ? "" : ` in namespace ${needed.namespace}`;
  if (allowed) return ok(`may ${what}${where}`);
  const message = `${accountText(parts.account)} may not ${what}${where}: ${right.why}`;
  const remedy = remedyOf(needed, subject, parts.account);
  return DISPENSABLE.has(right.feature)
    ? warn(message, remedy)
    : fail(message, remedy, "FERRY-K006");
}

/** undefined: whoever asks may not ask that. */
async function review(
  { raw, cluster }: InspectedCluster,
  { right, verb, namespace, name }: NeededRight,
  account: Account,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { group } = right;
  const [resource, subresource] = right.resource.split("/");
  const resourceAttributes = {
    verb,
    group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
  const kind = account.kind === "self" ? "SelfSubjectAccessReview" : "SubjectAccessReview";
  const answer = await raw.ask(
    {
      method: "POST",
      path: `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`,
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind,
        spec: { resourceAttributes, ...subjectOf(account) },
      },
    },
    signal,
  );
  if (answer.status === 403) return undefined;
  const { status } = answer.body as { readonly status?: { readonly allowed?: boolean } };
  if (status?.allowed === undefined) {
    throw new RetryableError("FERRY-K007", `${cluster}: HTTP ${answer.status} for a ${kind}`);
  }
  return status.allowed;
}

/** As the API server itself would have it. Source: apiserver pkg/authentication/serviceaccount/util.go. */
function subjectOf(account: Account): Readonly<Record<string, unknown>> {
  if (account.kind === "self") return {};
  const { namespace, name } = account;
  const groups = [
    "system:serviceaccounts",
    `system:serviceaccounts:${namespace}`,
    "system:authenticated",
  ];
  return { user: `system:serviceaccount:${namespace}:${name}`, groups };
}

function accountText(account: Account): string {
  return account.kind === "self" ? "who asks" : `${account.namespace}/${account.name}`;
}

/** Commands that grant exactly this; the shipped roles have it. */
function remedyOf(
  { right, verb, namespace, name }: NeededRight,
  subject: ClusterSubject,
  account: Account,
): Remedy {
  const text = "apply the shipped roles again, or grant exactly this";
  const kind = namespace === undefined ? "clusterrole" : "role";
  const scope = namespace === undefined ? "" : ` -n ${namespace}`;
  const role = `svc-ferry-${verb}-${right.resource.replace("/", "-")}`;
  const resource = `${right.resource}${right.group === "" ? "" : `.${right.group}`}`;
  const only = name === undefined ? "" : ` --resource-name=${name}`;
  const grant = `${kubectl(subject)}${scope} create ${kind} ${role} --verb=${verb} --resource=${resource}${only}`;
  if (account.kind === "self") return { text, command: grant };
  const to = ` --serviceaccount=${account.namespace}:${account.name}`;
  const bind = `${kubectl(subject)}${scope} create ${kind}binding ${role} --${kind}=${role}${to}`;
  return { text, command: `${grant} && ${bind}` };
}
