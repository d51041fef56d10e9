/** Is admission installed as the routes need it, trusted, and really reached by API servers? */
import { PROBE_ANNOTATION } from "../domain/labels.js";
import type { Route } from "../domain/route.js";
import type { CertificateProblem } from "../ports/certificates-report.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import type { KubeObject, Resource } from "../ports/kube-api.js";
import { MUTATING_WEBHOOKS, SERVICES, VALIDATING_WEBHOOKS } from "../ports/kube-resources.js";
import type { Random } from "../ports/random.js";
import { fail, ok, skip, warn, type Check, type Outcome } from "./check.js";
import { kubectl, prefixOf, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";
import { exampleLabels, failsClosed, shapeProblems, type WebhookEntry } from "./webhook-shape.js";

export interface WebhookParts {
  readonly source: ClusterSubject;
  readonly routes: readonly Route[];
  /** Name of both configurations. */
  readonly configuration: string;
  /** Of the Lease. */
  readonly ownNamespace: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What `svc-ferry certs status` finds wrong. */
  readonly certificateProblems: (signal: AbortSignal) => Promise<readonly CertificateProblem[]>;
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly WebhookEntry[];
}

const KINDS = { mutating: MUTATING_WEBHOOKS, validating: VALIDATING_WEBHOOKS } as const;

export function webhookChecks(parts: WebhookParts): readonly Check[] {
  const { source, configuration } = parts;
  const common = { section: "webhook", pre: false };
  const configKey = `wh-config ${configuration}`;
  return [
    {
      ...common,
      id: "wh-config",
      subject: configuration,
      needs: [reachKey(source)],
      run: async (signal) => shape(await source.open(), parts, signal),
    },
    {
      ...common,
      id: "wh-ca",
      subject: configuration,
      needs: [reachKey(source), configKey],
      run: (signal) => trust(parts, signal),
    },
    ...probedNamespaces(parts.routes).map((probe) => ({
      ...common,
      id: "wh-path",
      subject: `${probe.namespace} ${probe.route.selector.text}`,
      needs: [reachKey(source), configKey],
      run: async (signal: AbortSignal) => path(await source.open(), { ...parts, probe, signal }),
    })),
  ];
}

/** Of any cluster: whose webhooks can stop what svc-ferry, or whoever labels a Service, wants to write. */
export function foreignWebhookCheck(subject: ClusterSubject): Check {
  return {
    id: `${prefixOf(subject)}-wh-other`,
    section: sectionOf(subject),
    subject: subject.name,
    pre: true,
    needs: [reachKey(subject)],
    run: async (signal) => foreign(await subject.open(), signal),
  };
}

interface Probe {
  readonly namespace: string;
  readonly route: Route;
}

/** One for each selector, in a namespace that its route reads; all namespaces: `default`. */
function probedNamespaces(routes: readonly Route[]): readonly Probe[] {
  const found = new Map<string, Probe>();
  for (const route of routes) {
    const [namespace = "default"] = route.namespaces === "all" ? [] : route.namespaces;
    if (!found.has(route.selector.text)) found.set(route.selector.text, { namespace, route });
  }
  return [...found.values()];
}

async function shape(
  cluster: InspectedCluster,
  { source, configuration, routes, ownNamespace }: WebhookParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const problems: string[] = [];
  for (const kind of ["mutating", "validating"] as const) {
    const found: WebhookConfiguration | undefined = await cluster.get(
      KINDS[kind],
      { name: configuration },
      signal,
    );
    if (found === undefined) problems.push(`there is no ${KINDS[kind].kind} ${configuration}`);
    else problems.push(...shapeProblems(kind, found.webhooks ?? [], { routes, ownNamespace }));
  }
  if (problems.length === 0) return ok(`${configuration} asks about what the routes select`);
  return fail(problems.join("; "), {
    text: "compare with docs/admission.md, one set of entries for each selector of the routes",
    command: `${kubectl(source)} get mutatingwebhookconfiguration,validatingwebhookconfiguration ${configuration} -o yaml`,
  });
}

async function trust({ certificateProblems }: WebhookParts, signal: AbortSignal): Promise<Outcome> {
  const [first, ...others] = await certificateProblems(signal);
  if (first === undefined) return ok("API servers trust what is served");
  const more = others.length === 0 ? "" : `; and ${others.length} more`;
  const command = "svc-ferry certs status";
  return fail(`${first.problem}${more}`, { text: first.fix, command });
}

/** Long enough that nobody else's text is taken for it. */
const NONCE_LENGTH = 16;

/**
 * The whole way from an API server to a replica and back: a Service that is never stored, which the validating handler answers
 * with a warning. `Ignore` passes over a dead webhook in silence, so only the warning proves anything.
 */
async function path(
  cluster: InspectedCluster,
  {
    probe,
    clock,
    random,
    source,
    signal,
  }: WebhookParts & { readonly probe: Probe; readonly signal: AbortSignal },
): Promise<Outcome> {
  const nonce = random.id().slice(0, NONCE_LENGTH);
  const { namespace, route } = probe;
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      namespace,
      name: `svc-ferry-probe-${nonce}`,
      labels: exampleLabels(route.selector),
      annotations: { [PROBE_ANNOTATION]: nonce },
    },
    spec: { ports: [{ port: 80 }] },
  };
  const sentMs = clock.monotonicMs();
  const answered = await rehearsed(cluster, service, signal);
  if (answered.kind === "refused") {
    return skip(
      `needs the right to create Services in ${namespace}, which is a person's and not svc-ferry's`,
      {
        text: "ask as somebody who may create a Service there; nothing is stored",
      },
    );
  }
  const tookMs = Math.round(clock.monotonicMs() - sentMs);
  const warning = answered.warnings.find((text) => text.includes(nonce));
  const by = warning === undefined ? undefined : /answered by (.*)$/.exec(warning)?.[1];
  if (by !== undefined) return ok(`answered by ${by} in ${tookMs} ms`);
  return fail(`the API server of ${cluster.cluster} does not reach the webhook${answered.said}`, {
    text: "let the control plane reach port 9443 of the pods: NetworkPolicy, firewall; EKS and GKE private clusters need the node port opened",
    command: `${kubectl(source)} -n ${namespace} get endpointslices -l kubernetes.io/service-name=svc-ferry-webhook`,
  });
}

type Rehearsal =
  | { readonly kind: "answered"; readonly warnings: readonly string[]; readonly said: string }
  | { readonly kind: "refused" };

async function rehearsed(
  { rehearsal }: InspectedCluster,
  service: KubeObject,
  signal: AbortSignal,
): Promise<Rehearsal> {
  try {
    const { result, warnings } = await rehearsal.create(SERVICES, service, signal);
    const said = "message" in result ? `: ${result.message}` : "";
    return { kind: "answered", warnings, said };
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    if (error.code === "FERRY-K006") return { kind: "refused" };
    // With failurePolicy Fail the server says which webhook it could not call.
    if (error.code === "FERRY-K004")
      return { kind: "answered", warnings: [], said: `: ${error.message}` };
    throw error;
  }
}

async function foreign(cluster: InspectedCluster, signal: AbortSignal): Promise<Outcome> {
  const listed = await Promise.all(
    [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS].map((resource: Resource) =>
      cluster.list(resource, {}, signal),
    ),
  );
  const closed = listed
    .flatMap(({ items }) => items)
    .flatMap((item: WebhookConfiguration) =>
      (item.webhooks ?? []).some(failsClosed) ? [item.metadata.name] : [],
    );
  if (closed.length === 0) return ok("no webhook of others stops Services when nobody answers it");
  const names = [...new Set(closed)].join(", ");
  return warn(`webhooks of others stop changes of Services while nobody answers them: ${names}`, {
    text: "when Services cannot be written, look at these first",
  });
}
