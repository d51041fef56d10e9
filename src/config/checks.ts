/** What must hold between settings: each alone is right, together they are not. */
import { fill } from "../domain/target.js";
import type { ClusterAccess } from "../ports/clusters.js";
import type { Config, Destination } from "./config.js";
import { durationText } from "./duration.js";
import type { GivenSettings } from "./given.js";
import { isDnsLabel } from "./names.js";
import { problem, type Problem } from "./problems.js";
import type { LabelledRoute } from "./routes.js";
import { SETTINGS } from "./settings.js";

/** client-go: the retry period is stretched by up to this factor. Source: tools/leaderelection, JitterFactor. */
const JITTER_FACTOR = 1.2;

/** client-go's own rules (tools/leaderelection, NewLeaderElector): else a leader's Lease may end before it notices. */
export function leaseProblems(given: GivenSettings): readonly Problem[] {
  const duration = given.read(SETTINGS.leaseDuration);
  const deadline = given.read(SETTINGS.renewDeadline);
  const period = given.read(SETTINGS.retryPeriod);
  const problems: Problem[] = [];
  if (duration.value % 1_000 !== 0) {
    problems.push(
      problem(duration.label, "is not in whole seconds, which is all that a Lease can say", {
        value: durationText(duration.value),
      }),
    );
  }
  if (deadline.value >= duration.value) {
    problems.push(
      problem(deadline.label, "is not below --lease-duration", {
        value: durationText(deadline.value),
        allowed: `less than ${durationText(duration.value)}`,
      }),
    );
  }
  if (period.value * JITTER_FACTOR >= deadline.value) {
    problems.push(
      problem(period.label, "leaves no room for a second try before --renew-deadline", {
        value: durationText(period.value),
        allowed: `less than ${durationText(Math.ceil(deadline.value / JITTER_FACTOR))}`,
      }),
    );
  }
  return problems;
}

/** The targets that a route gives: possible names, no system namespace by accident, never the source itself. */
export function routeProblems(
  { route, label }: LabelledRoute,
  source: ClusterAccess,
  destination: Destination | undefined,
): readonly Problem[] {
  const { namespace: template } = route.target;
  const isComputed = template.includes("{");
  const named = route.namespaces === "all" ? [] : route.namespaces;
  const targets = named.map((namespace) => fill(template, { namespace, name: "a" }));
  const problems: Problem[] = [];
  const tooLong = targets.find((target) => !isDnsLabel(target));
  if (tooLong !== undefined) {
    const reason = `gives the namespace "${tooLong}", which is not a valid name`;
    problems.push(problem(label("target"), reason, { value: template }));
  }
  const system = [template, ...targets].find((target) => target.startsWith("kube-"));
  if (isComputed && system !== undefined) {
    const reason = "gives a namespace of Kubernetes itself, which is only written when spelled out";
    problems.push(problem(label("target"), reason, { value: template }));
  }
  if (destination === undefined || !isSameCluster(source, destination.access)) return problems;
  const self =
    route.namespaces === "all"
      ? !isComputed || template === "{namespace}"
      : targets.some((target) => named.includes(target));
  if (self && route.target.name === "{name}") {
    const reason = "gives the Services' own names: source and destination are the same context";
    problems.push(problem(label("target"), reason, { value: `${template}/${route.target.name}` }));
  }
  return problems;
}

function isSameCluster(a: ClusterAccess, b: ClusterAccess): boolean {
  if (a.kind === "in-cluster" || b.kind === "in-cluster") return a.kind === b.kind;
  return a.path === b.path && a.context === b.context;
}

/** Right, but maybe not meant. */
export function configWarnings(config: Config): readonly string[] {
  const warnings: string[] = [];
  const isOpen = !["127.0.0.1", "::1", "localhost"].includes(config.http.bindAddress);
  if (config.http.page === "all" && isOpen) {
    warnings.push("--page=all: whoever reaches the admin port can read the names of all Services");
  }
  for (const { name } of config.destinations) {
    if (!config.routes.some(({ destination }) => destination === name)) {
      warnings.push(`destination ${name} has no route: nothing is written there`);
    }
  }
  return warnings;
}
