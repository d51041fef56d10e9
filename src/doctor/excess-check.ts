/** May svc-ferry do more than it needs? Whoever gets hold of its credentials could do the rest as well. */
import { excessRights, type GrantedRule } from "../domain/excess-rights.js";
import type { NeededRight } from "../domain/needed-rights.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import { ok, skip, warn, type Check, type Outcome } from "./check.js";
import { kubectl, prefixOf, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";
import type { RightsParts } from "./rights-checks.js";

/** Rights in one line. */
const MAX_NAMED = 6;
/** Where only what holds everywhere is of interest. */
const ANYWHERE = "default";

/** @param needed what the configuration needs in this cluster */
export function excessCheck(
  subject: ClusterSubject,
  needed: readonly NeededRight[],
  parts: RightsParts,
): Check {
  return {
    id: `${prefixOf(subject)}-rbac-excess`,
    section: sectionOf(subject),
    subject: subject.name,
    pre: true,
    needs: [reachKey(subject)],
    run: async (signal) => excess(await subject.open(), { subject, needed, parts, signal }),
  };
}

interface Question {
  readonly subject: ClusterSubject;
  readonly needed: readonly NeededRight[];
  readonly parts: RightsParts;
  readonly signal: AbortSignal;
}

async function excess(
  cluster: InspectedCluster,
  { subject, needed, parts, signal }: Question,
): Promise<Outcome> {
  if (parts.account.kind !== "self") {
    return skip("an authorizer lists nobody's rights but those of who asks", {
      text: "ask in a pod of svc-ferry, for its own rights",
      command: `kubectl -n ${parts.namespace} exec deploy/svc-ferry -- svc-ferry doctor`,
    });
  }
  const named = new Set(needed.flatMap(({ namespace }) => namespace ?? []));
  const namespaces = named.size === 0 ? [ANYWHERE] : [...named];
  const listed = await Promise.all(
    namespaces.map(async (namespace) => {
      const { rules, isComplete } = await rulesIn(cluster, namespace, signal);
      const here = needed.filter((one) => (one.namespace ?? namespace) === namespace);
      return { namespace, found: excessRights(rules, here), isComplete };
    }),
  );
  const texts = summed(listed);
  const note = listed.every(({ isComplete }) => isComplete)
    ? ""
    : " (as far as the list goes: the authorizer says that it is not complete)";
  if (texts.length === 0) return ok(`nothing is granted that is not needed${note}`);
  const more = texts.length > MAX_NAMED ? ` and ${texts.length - MAX_NAMED} more` : "";
  const text = `more is granted than is needed: ${texts.slice(0, MAX_NAMED).join(", ")}${more}`;
  return warn(`${text}${note}`, {
    text: "let the shipped roles be all that it has; see which other bindings name it",
    command: `${kubectl(subject)} get rolebindings,clusterrolebindings -A -o wide`,
  });
}

interface Listed {
  readonly namespace: string;
  readonly found: readonly string[];
}

/** What is granted in all of several namespaces is said once, without them. */
function summed(listed: readonly Listed[]): readonly string[] {
  const [first, ...others] = listed;
  const everywhere = new Set(
    others.length === 0
      ? []
      : first?.found.filter((text) => others.every(({ found }) => found.includes(text))),
  );
  return [
    ...everywhere,
    ...listed.flatMap(({ namespace, found }) =>
      found.filter((text) => !everywhere.has(text)).map((text) => `${text} in ${namespace}`),
    ),
  ];
}

async function rulesIn(
  { raw, cluster }: InspectedCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly rules: readonly GrantedRule[]; readonly isComplete: boolean }> {
  const answer = await raw.ask(
    {
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectRulesReview",
        spec: { namespace },
      },
    },
    signal,
  );
  const { status } = answer.body as {
    readonly status?: {
      readonly incomplete?: boolean;
      readonly resourceRules?: readonly Partial<GrantedRule>[] | null;
    };
  };
  if (status === undefined) {
    const message = `${cluster}: HTTP ${answer.status} for a SelfSubjectRulesReview`;
    throw new RetryableError("FERRY-K007", message);
  }
  const rules = (status.resourceRules ?? []).map(
    ({ verbs = [], apiGroups = [], resources = [], resourceNames = [] }) => ({
      verbs,
      apiGroups,
      resources,
      resourceNames,
    }),
  );
  return { rules, isComplete: status.incomplete !== true };
}
