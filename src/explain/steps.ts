/** The steps of the way from a source Service to pods that answer, and how far this one has come. Pure. */
import { TARGET_NAME_ANNOTATION, TARGET_NAMESPACE_ANNOTATION } from "../domain/labels.js";
import type {
  EndpointsFinding,
  FindingReason,
  ProbeFinding,
  Step,
  StepId,
} from "../ports/explain-report.js";
import type { ServiceState } from "../reconcile/service-state.js";
import type { Evidence } from "./evidence.js";

const IDS: readonly StepId[] = [
  "selected",
  "mapped",
  "name-free",
  "written",
  "endpoints",
  "reachable",
];

/** Addresses in one line. */
const MAX_NAMED = 3;

const CONFLICTS: ReadonlySet<string> = new Set([
  "name-occupied",
  "name-taken",
  "held-by-other-link",
]);

/** What the evidence comes to. */
export interface Known {
  readonly reason: FindingReason | undefined;
  readonly endpoints: EndpointsFinding | undefined;
  readonly state: ServiceState | undefined;
}

/** In the order in which they are asked, up to the first that says no. */
export function steps(evidence: Evidence, known: Known): readonly Step[] {
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
    { id: "written", result: "yes", text: writtenText(evidence) },
    endpointsStep(known),
    reachableStep(evidence.probes),
  ];
}

/** By which route, and which of its labels. */
export function selectedStep({
  service,
  mapping: { route },
}: Pick<Evidence, "service" | "mapping">): Step {
  const labels = route.selector.requirements
    .filter(({ key }) => service.labels[key] !== undefined)
    .map(({ key }) => `${key}=${service.labels[key] ?? ""}`);
  const by = labels.length === 0 ? `selector ${route.selector.text}` : `label ${labels.join(",")}`;
  return { id: "selected", result: "yes", text: `${by}, route "${route.name}"` };
}

/** Where it goes, and what says so. */
export function mappedStep({ service, mapping }: Pick<Evidence, "service" | "mapping">): Step {
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

function writtenText({ lastWrite }: Evidence): string {
  return lastWrite === undefined ? "nothing to change" : `nothing to change since ${lastWrite}`;
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

/** Only a pod in the destination could tell how it is for pods there; this host tells of itself. */
function reachableStep(probes: readonly ProbeFinding[] | undefined): Step {
  const id = "reachable";
  if (probes === undefined) {
    const text = "not probed: only a pod in the destination could tell (--probe asks from here)";
    return { id, result: "unknown", text };
  }
  if (probes.length === 0) return { id, result: "unknown", text: "there is no TCP port to try" };
  const failed = probes.filter(({ answer }) => answer !== "answered");
  const answered = probes.length - failed.length;
  const text = `${answered} of ${probes.length} answer a connection from this host`;
  if (failed.length === 0) return { id, result: "yes", text };
  const named = failed.slice(0, MAX_NAMED).map(({ address, answer }) => `${address} ${answer}`);
  const more = failed.length > MAX_NAMED ? ` and ${failed.length - MAX_NAMED} more` : "";
  return {
    id,
    result: answered === 0 ? "no" : "look",
    text: `${text}; ${named.join(", ")}${more}`,
  };
}

/** All that come after it. */
export function notAsked(after: StepId): readonly Step[] {
  return IDS.slice(IDS.indexOf(after) + 1).map((id) => ({ id, result: "not-asked", text: "" }));
}
