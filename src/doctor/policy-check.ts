/** Is there a policy that lets nobody but svc-ferry change a mirror, does it bind, and does it let svc-ferry itself through? */
import { LINK_LABEL } from "../domain/labels.js";
import { targetNamespaces } from "../domain/namespaces.js";
import type { Route } from "../domain/route.js";
import type { Account } from "../ports/doctor-report.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import type { KubeObject } from "../ports/kube-api.js";
import {
  SERVICES,
  VALIDATING_POLICIES,
  VALIDATING_POLICY_BINDINGS,
} from "../ports/kube-resources.js";
import { fail, ok, warn, type Check, type Outcome } from "./check.js";
import { kubectl, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";
import { userName } from "./who-asks.js";

export interface PolicyParts {
  /** Those to this destination. */
  readonly routes: readonly Route[];
  /** Who svc-ferry is in this destination. */
  readonly account: Account;
}

interface Policy extends KubeObject {
  readonly spec?: {
    readonly matchConstraints?: {
      readonly objectSelector?: {
        readonly matchExpressions?: readonly { readonly key?: string }[];
        readonly matchLabels?: Readonly<Record<string, string>>;
      };
    };
  };
  readonly status?: {
    readonly typeChecking?: {
      readonly expressionWarnings?: readonly { readonly warning?: string }[];
    };
  };
}

interface Binding extends KubeObject {
  readonly spec?: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
  };
}

const INSTALL = "docs/security.md says what the policy does, and how it is installed";

export function policyCheck(destination: ClusterSubject, { routes, account }: PolicyParts): Check {
  const { name } = destination;
  const all = targetNamespaces(routes);
  // Where a change of a mirror is rehearsed; undefined: no namespace can be told beforehand.
  const [namespace] = all === "all" ? [] : all;
  return {
    id: "dst-policy",
    section: sectionOf(destination),
    subject: name,
    pre: false,
    needs: [
      reachKey(destination),
      ...(namespace === undefined ? [] : [`dst-ns ${name} ${namespace}`]),
    ],
    run: async (signal) =>
      inForce(await destination.open(), { namespace, account, destination, signal }),
  };
}

interface Question {
  readonly namespace: string | undefined;
  readonly account: Account;
  readonly destination: ClusterSubject;
  readonly signal: AbortSignal;
}

async function inForce(cluster: InspectedCluster, question: Question): Promise<Outcome> {
  const { destination, signal } = question;
  const { items } = await cluster.list(VALIDATING_POLICIES, {}, signal);
  const found: readonly Policy[] = items.filter(isAboutMirrors);
  const [policy] = found;
  if (policy === undefined) {
    return warn("no ValidatingAdmissionPolicy keeps others from changing mirrors", {
      text: INSTALL,
    });
  }
  const { name } = policy.metadata;
  const mistakes = found.flatMap(({ status }) => status?.typeChecking?.expressionWarnings ?? []);
  if (mistakes.length > 0) {
    const said = mistakes.map(({ warning = "" }) => warning.split("\n", 1)[0]).join("; ");
    return warn(`policy ${name} has expressions that the API server finds fault with: ${said}`, {
      text: INSTALL,
      command: `${kubectl(destination)} get validatingadmissionpolicy ${name} -o yaml`,
    });
  }
  const unbound = await whyNotBound(cluster, found, question);
  return unbound ?? rehearsed(cluster, name, question);
}

function isAboutMirrors({ spec }: Policy): boolean {
  const { matchExpressions = [], matchLabels = {} } = spec?.matchConstraints?.objectSelector ?? {};
  return [...matchExpressions.map(({ key }) => key), ...Object.keys(matchLabels)].includes(
    LINK_LABEL,
  );
}

/** undefined: one of them stops what it does not allow. */
async function whyNotBound(
  cluster: InspectedCluster,
  policies: readonly Policy[],
  { destination, signal }: Question,
): Promise<Outcome | undefined> {
  const names = policies.map(({ metadata }) => metadata.name);
  const { items } = await cluster.list(VALIDATING_POLICY_BINDINGS, {}, signal);
  const bindings = items.filter(({ spec }: Binding) => names.includes(spec?.policyName ?? ""));
  const [name = ""] = names;
  const command = `${kubectl(destination)} get validatingadmissionpolicybinding -o yaml`;
  if (bindings.length === 0) {
    return warn(`policy ${name} is there, and nothing binds it: it stops nobody`, {
      text: `apply its binding as well; ${INSTALL}`,
      command,
    });
  }
  const actions = bindings.flatMap(({ spec }: Binding) => spec?.validationActions ?? []);
  if (actions.includes("Deny")) return undefined;
  return warn(`policy ${name} is bound to ${actions.join(" and ")} only: it stops nobody`, {
    text: "let validationActions of its binding be [Deny, Audit]",
    command,
  });
}

/** What its expressions make of whoever asks shows only when somebody asks. Nothing is stored. */
async function rehearsed(
  cluster: InspectedCluster,
  policy: string,
  question: Question,
): Promise<Outcome> {
  const { namespace, account, destination, signal } = question;
  if (namespace === undefined) return ok(`${policy} is bound`);
  const isOurs = account.kind === "self" || (await isAccount(cluster, account, signal));
  const answer = await forge(cluster, namespace, signal);
  const { kind } = answer;
  if (kind === "untried") return ok(`${policy} is bound; not tried: ${answer.why}`);
  if (isOurs && kind === "denied") {
    return fail(`the policy stops svc-ferry itself: ${answer.why}`, {
      text: "name who svc-ferry is there in the policy's condition not-svc-ferry; identities of a cloud have other names",
      command: `${kubectl(destination)} edit validatingadmissionpolicy ${policy}`,
    });
  }
  if (isOurs) return ok(`${policy} is bound, and lets svc-ferry through`);
  if (kind === "denied") return ok(`${policy} is bound, and stops whoever asks here`);
  return warn(`policy ${policy} is bound, and lets whoever asks make a mirror in ${namespace}`, {
    text: "see its conditions, and the namespaces that it and its binding select",
    command: `${kubectl(destination)} get validatingadmissionpolicy,validatingadmissionpolicybinding ${policy} -o yaml`,
  });
}

async function isAccount(
  cluster: InspectedCluster,
  { namespace, name }: Extract<Account, { kind: "service-account" }>,
  signal: AbortSignal,
): Promise<boolean> {
  return (await userName(cluster, signal)) === `system:serviceaccount:${namespace}:${name}`;
}

type Forged =
  | { readonly kind: "let-through" }
  /** By the policy; `why` is the API server's sentence. */
  | { readonly kind: "denied"; readonly why: string }
  /** Something else was in the way. */
  | { readonly kind: "untried"; readonly why: string };

async function forge(
  { rehearsal }: InspectedCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<Forged> {
  const mirror = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name: "svc-ferry-probe", labels: { [LINK_LABEL]: "svc-ferry-probe" } },
    spec: { ports: [{ port: 80 }] },
  };
  try {
    const { result } = await rehearsal.create(SERVICES, mirror, signal);
    if (result.kind === "done") return { kind: "let-through" };
    return judged("message" in result ? result.message : `${namespace}: ${result.kind}`);
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006")
      return judged(error.message);
    throw error;
  }
}

/** The API server has no code of its own for it, but one way to word it. Source: apiserver pkg/admission/plugin/policy/validating/dispatcher.go. */
function judged(why: string): Forged {
  return { kind: why.includes("ValidatingAdmissionPolicy '") ? "denied" : "untried", why };
}
