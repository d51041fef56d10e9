/** Is what is selected there? The explanation's findings, as one line for each destination. */
import type { ExplainReport, Finding } from "../ports/explain-report.js";
import { fail, ok, warn, type Check, type Outcome } from "./check.js";
import { reachKey, type ClusterSubject } from "./cluster-subject.js";

/** Names in one line. */
const MAX_NAMED = 3;
/** What users of Services can mend themselves; nothing of the installation is wrong. */
const USERS: ReadonlySet<string> = new Set([
  "is-a-mirror",
  "invalid-name",
  "name-too-long",
  "invalid-namespace",
  "target-not-allowed",
  "name-occupied",
  "name-taken",
  "held-by-other-link",
  "no-common-ip-family",
  "rejected-by-destination",
  "mirror-terminating",
  "paused",
  "pending",
  "route-gone",
  "former-cluster",
  "deletion-not-proven",
]);

/** @param explain everything of one destination; asked when all that it needs is right */
export function syncCheck(
  source: ClusterSubject,
  destination: ClusterSubject,
  explain: (destination: string) => Promise<ExplainReport>,
): Check {
  const { name } = destination;
  return {
    id: "sync",
    section: "sync",
    subject: name,
    pre: false,
    needs: [reachKey(source), reachKey(destination)],
    run: async () => verdict((await explain(name)).findings),
  };
}

function verdict(findings: readonly Finding[]): Outcome {
  const open = findings.filter(({ verdict: one }) => one !== "synced");
  const synced = findings.length - open.length;
  const message = `${synced} of ${findings.length} synced`;
  if (open.length === 0) return ok(message);
  const worst = open.find(({ reason }) => !USERS.has(reason?.code ?? ""));
  const [first] = worst === undefined ? open : [worst];
  const named = open
    .slice(0, MAX_NAMED)
    .map(({ service, reason }) => `${service} (${reason?.code ?? "?"})`);
  const more = open.length > MAX_NAMED ? ` and ${open.length - MAX_NAMED} more` : "";
  const text = `${message}; not: ${named.join(", ")}${more}`;
  const remedy = {
    text: "each has its own reason",
    command: `svc-ferry explain ${first?.service ?? "--all"}`,
  };
  const code = (worst ?? first)?.reason?.code;
  return worst === undefined ? { ...warn(text, remedy), code } : fail(text, remedy, code);
}
