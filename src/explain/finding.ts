/** From what the core's own parts said to what a person reads. Pure. */
import {
  CHANGED_AT_ANNOTATION,
  CHANGED_BY_ANNOTATION,
  CHANGE_ID_ANNOTATION,
} from "../domain/labels.js";
import type { Service } from "../domain/objects.js";
import { keyOf, type ServiceKey } from "../domain/service-key.js";
import type {
  EndpointsFinding,
  ExplainVerdict,
  Finding,
  FindingReason,
  LastChange,
} from "../ports/explain-report.js";
import type { ServiceState } from "../reconcile/service-state.js";
import type { Look } from "./dry-destination.js";
import type { Evidence } from "./evidence.js";
import { fixOf } from "./fixes.js";
import { mappedStep, notAsked, selectedStep, steps } from "./steps.js";

/** The finding of a Service that a route selects. */
export function finding(evidence: Evidence): Finding {
  const { service, mapping, look, contexts, blocked } = evidence;
  const { target, route } = mapping;
  const state = look?.states.find(({ source }) => source === keyOf(service));
  const reason = mapping.kind === "refused" ? mapping.reason : reasonOf(evidence, state);
  const endpoints = endpointsOf(state, evidence.notReady);
  const own = reason !== undefined && reason === blocked?.reason ? blocked.fix : undefined;
  const verdict: ExplainVerdict = reason === undefined ? "synced" : "not-synced";
  return {
    service: keyOf(service),
    destination: route.destination,
    target,
    verdict,
    steps: steps(evidence, { reason, endpoints, state }),
    reason,
    fix: own ?? (reason && fixOf(reason.code, { service: keyOf(service), target, ...contexts })),
    remarks: state?.remarks ?? [],
    endpoints,
    lastWrite: evidence.lastWrite,
    probes: evidence.probes,
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
  if (blocked !== undefined) return blocked.reason;
  const due = dueTexts(look);
  if (due.length === 0) return undefined;
  const message = `due, and not written yet: ${due.join(", ")}; if that lasts, ask the leader (--status-url) and its log`;
  return { code: "pending", message };
}

function endpointsOf(
  state: ServiceState | undefined,
  notReady: readonly string[],
): EndpointsFinding | undefined {
  return state?.endpoints && { ...state.endpoints, notReady };
}

function dueTexts(look: Look | undefined): readonly string[] {
  return (look?.due ?? []).map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
}

function lastChange({ annotations }: Service): LastChange | undefined {
  const id = annotations[CHANGE_ID_ANNOTATION];
  if (id === undefined) return undefined;
  return { id, by: annotations[CHANGED_BY_ANNOTATION], at: annotations[CHANGED_AT_ANNOTATION] };
}
