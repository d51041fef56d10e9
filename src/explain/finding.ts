/** From what the core's own parts said to the steps that a person reads. Pure. */
import {
  CHANGED_AT_ANNOTATION,
  CHANGED_BY_ANNOTATION,
  CHANGE_ID_ANNOTATION,
  TARGET_NAME_ANNOTATION,
  TARGET_NAMESPACE_ANNOTATION,
} from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { keyOf, type ServiceKey } from "../domain/service-key.js";
import type { Mapping } from "../domain/target.js";
import type {
  EndpointsFinding,
  ExplainVerdict,
  Finding,
  FindingReason,
  LastChange,
  Step,
  StepId,
} from "../ports/explain-report.js";
import type { ServiceState } from "../reconcile/service-state.js";
import type { Look } from "./dry-destination.js";
import { fixOf, type FixContext } from "./fixes.js";

/** One mapping of one Service, and what was found where it leads. */
export interface Evidence {
  readonly service: Service;
  readonly mapping: Mapping;
  readonly contexts: Pick<FixContext, "sourceContext" | "destinationContext">;
  /** undefined: nothing was looked at, because the mapping is refused. */
  readonly look: Look | undefined;
  /** Why nothing is written to the destination at all; undefined: nothing is in the way. */
  readonly blocked: FindingReason | undefined;
  /** Pods in the source that are not ready. */
  readonly notReady: readonly string[];
}

const IDS: readonly StepId[] = [
  "selected",
  "mapped",
  "name-free",
  "written",
  "endpoints",
  "reachable",
];

const CONFLICTS: ReadonlySet<string> = new Set([
  "name-occupied",
  "name-taken",
  "held-by-other-link",
]);

/** The finding of a Service that a route selects. */
export function finding(evidence: Evidence): Finding {
  const { service, mapping, look, contexts } = evidence;
  const { target, route } = mapping;
  const state = look?.states.find(({ source }) => source === keyOf(service));
  const reason = mapping.kind === "refused" ? mapping.reason : reasonOf(evidence, state);
  const endpoints = endpointsOf(state, evidence.notReady);
  const verdict: ExplainVerdict = reason === undefined ? "synced" : "not-synced";
  return {
    service: keyOf(service),
    destination: route.destination,
    target,
    verdict,
    steps: steps(evidence, { reason, endpoints, state }),
    reason,
    fix: reason && fixOf(reason.code, { service: keyOf(service), target, ...contexts }),
    remarks: state?.remarks ?? [],
    endpoints,
    due: dueTexts(look),
    lastChange: lastChange(service),
  };
}

/** The finding of a mirror that nobody wants. */
export function orphanFinding(
  target: ServiceKey,
  source: ServiceKey,
  destination: string,
  { look, contexts }: Pick<Evidence, "contexts"> & { readonly look: Look },
): Finding {
  const due = dueTexts(look);
  const reason = look.orphan ??
    look.failure ?? { code: "pending", message: "nobody wants it: it is removed" };
  return {
    service: source,
    destination,
    target,
    verdict: "not-synced",
    steps: [{ id: "selected", result: "no", text: "no Service of the source wants this name" }],
    reason,
    fix: fixOf(reason.code, { service: source, target, ...contexts }),
    remarks: [],
    due,
  };
}

/** The finding of what no route takes, or what is not there. @param text of the one step */
export function notSelected(
  service: ServiceKey,
  reason: FindingReason,
  { text, fix }: { readonly text: string; readonly fix?: string | undefined },
): Finding {
  return {
    service,
    verdict: "not-selected",
    steps: [{ id: "selected", result: "no", text }, ...notAsked("selected")],
    reason,
    fix,
    remarks: [],
    due: [],
  };
}

/** The finding where a cluster could not be asked. */
export function unknownFinding(
  { service, mapping }: Pick<Evidence, "service" | "mapping">,
  failure: FindingReason,
  fix: string,
): Finding {
  const { target, route } = mapping;
  const known = { service, mapping };
  return {
    service: keyOf(service),
    destination: route.destination,
    target,
    verdict: "unknown",
    steps: [
      selectedStep(known),
      mappedStep(known),
      { id: "name-free", result: "unknown", text: `${route.destination} could not be asked` },
      ...notAsked("name-free"),
    ],
    reason: failure,
    fix,
    remarks: [],
    due: [],
    lastChange: lastChange(service),
  };
}

function reasonOf(
  { look, blocked }: Evidence,
  state: ServiceState | undefined,
): FindingReason | undefined {
  const told = state?.state === "synced" ? undefined : state?.reason;
  if (told !== undefined) return told;
  if (look?.failure !== undefined) return look.failure;
  if (blocked !== undefined) return blocked;
  const due = dueTexts(look);
  if (due.length === 0) return undefined;
  const message = `due, and not written yet: ${due.join(", ")}; if that lasts, ask the leader (--status-url) and its log`;
  return { code: "pending", message };
}

interface Known {
  readonly reason: FindingReason | undefined;
  readonly endpoints: EndpointsFinding | undefined;
  readonly state: ServiceState | undefined;
}

function steps(evidence: Evidence, known: Known): readonly Step[] {
  const { reason } = known;
  const selected = selectedStep(evidence);
  if (evidence.mapping.kind === "refused") {
    const isMirror = evidence.mapping.reason.code === "is-a-mirror";
    const id = isMirror ? "selected" : "mapped";
    const no: Step = { id, result: "no", text: evidence.mapping.reason.message };
    return [...(isMirror ? [] : [selected]), no, ...notAsked(id)];
  }
  const before = [selected, mappedStep(evidence)];
  if (reason !== undefined && CONFLICTS.has(reason.code)) {
    return [
      ...before,
      { id: "name-free", result: "no", text: reason.message },
      ...notAsked("name-free"),
    ];
  }
  before.push({ id: "name-free", result: "yes", text: nameText(evidence) });
  if (reason !== undefined) {
    return [
      ...before,
      { id: "written", result: "no", text: reason.message },
      ...notAsked("written"),
    ];
  }
  return [
    ...before,
    { id: "written", result: "yes", text: "nothing to change" },
    endpointsStep(known),
    {
      id: "reachable",
      result: "unknown",
      text: "not probed: only a pod in the destination could tell",
    },
  ];
}

function selectedStep({
  service,
  mapping: { route },
}: Pick<Evidence, "service" | "mapping">): Step {
  const labels = route.selector.requirements
    .filter(({ key }) => service.labels[key] !== undefined)
    .map(({ key }) => `${key}=${service.labels[key] ?? ""}`);
  const by = labels.length === 0 ? `selector ${route.selector.text}` : `label ${labels.join(",")}`;
  return { id: "selected", result: "yes", text: `${by}, route "${route.name}"` };
}

function mappedStep({ service, mapping }: Pick<Evidence, "service" | "mapping">): Step {
  const given = [TARGET_NAMESPACE_ANNOTATION, TARGET_NAME_ANNOTATION].filter(
    (key) => service.annotations[key] !== undefined,
  );
  const by = given.length === 0 ? "by the route alone" : `by ${given.join(" and ")}`;
  return { id: "mapped", result: "yes", text: `${mapping.target} (${by})` };
}

function nameText({ look }: Evidence): string {
  const isNew = look?.due.some(
    ({ verb, resource }) => verb === "create" && resource === "services",
  );
  return isNew === true ? "nobody has it" : "it is ours, or to be had";
}

function endpointsStep({ endpoints, state }: Known): Step {
  const id = "endpoints";
  if (endpoints === undefined) return { id, result: "yes", text: "ExternalName: it has none" };
  const { ready, total, slices, notReady } = endpoints;
  const text = `${ready} ready of ${total}, ${slices} ${slices === 1 ? "slice" : "slices"}`;
  const remarked = (state?.remarks ?? []).map(({ message }) => message);
  if (ready > 0) {
    return {
      id,
      result: remarked.length > 0 ? "look" : "yes",
      text: [text, ...remarked].join("; "),
    };
  }
  const pods = notReady.length === 0 ? "no pod is behind it" : `not ready: ${notReady.join(", ")}`;
  return { id, result: "look", text: `${text}: nobody answers; in the source ${pods}` };
}

function endpointsOf(
  state: ServiceState | undefined,
  notReady: readonly string[],
): EndpointsFinding | undefined {
  return state?.endpoints && { ...state.endpoints, notReady };
}

function notAsked(after: StepId): readonly Step[] {
  return IDS.slice(IDS.indexOf(after) + 1).map((id) => ({ id, result: "not-asked", text: "" }));
}

function dueTexts(look: Look | undefined): readonly string[] {
  return (look?.due ?? []).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
}

function lastChange({ annotations }: Service): LastChange | undefined {
  const id = annotations[CHANGE_ID_ANNOTATION];
  if (id === undefined) return undefined;
  return { id, by: annotations[CHANGED_BY_ANNOTATION], at: annotations[CHANGED_AT_ANNOTATION] };
}
