/** What `svc-ferry doctor` looks at: the checks of src/doctor, for both sides of one configuration. */
import type { Doctor } from "./cli/doctor.js";
import { SECRET_NAME } from "../certs/object-names.js";
import type { CertsCommands } from "./certs-commands.js";
import type { Config } from "./config/config.js";
import type { ConfigResult } from "./config/load.js";
import { problemLine } from "./config/problems.js";
import { checkup, selected, unknownNames } from "./doctor/checkup.js";
import { fail, ok, warn, type Check, type Outcome } from "./doctor/check.js";
import { clusterChecks } from "./doctor/cluster-checks.js";
import type { ClusterSubject } from "./doctor/cluster-subject.js";
import { excessCheck } from "./doctor/excess-check.js";
import { handOffCheck } from "./doctor/hand-off-check.js";
import { leaderChecks } from "./doctor/leader-checks.js";
import { placementChecks } from "./doctor/placement-checks.js";
import { podRangesCheck } from "./doctor/pod-ranges-check.js";
import { policyCheck } from "./doctor/policy-check.js";
import { doctorReport } from "./doctor/report.js";
import { rightsChecks } from "./doctor/rights-checks.js";
import { syncCheck } from "./doctor/sync-checks.js";
import { foreignWebhookCheck, webhookChecks } from "./doctor/webhook-checks.js";
import { installation } from "./domain/installation.js";
import { destinationRights, sourceRights, type RightsQuestion } from "./domain/needed-rights.js";
import type { ExplainCommand } from "./explain-command.js";
import { askHandOff } from "./hand-off-probe.js";
import { clusterUid } from "./introduction.js";
import { contextOf } from "./config/kubectl-contexts.js";
import type { Clock } from "./ports/clock.js";
import type { Digest } from "./ports/digest.js";
import type { Account, DoctorAnswer, DoctorQuestion } from "./ports/doctor-report.js";
import { RetryableError, TerminalError } from "./ports/errors.js";
import type { InspectedCluster } from "./ports/inspected-cluster.js";
import type { Random } from "./ports/random.js";
import { VERSION } from "./version.js";

export interface DoctorCommandParts {
  readonly open: (cluster: Config["source"]) => Promise<InspectedCluster>;
  readonly explain: Pick<ExplainCommand, "explain">;
  readonly certs: Pick<CertsCommands, "report">;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
}

export class DoctorCommand implements Doctor {
  constructor(private readonly parts: DoctorCommandParts) {}

  async examine(loaded: ConfigResult, question: DoctorQuestion): Promise<DoctorAnswer> {
    const clusters = new Clusters(this.parts.open);
    const stop = new AbortController();
    try {
      const all = [
        ...configChecks(loaded),
        ...(loaded.kind === "ok"
          ? await this.#checks(loaded.config, question, clusters, stop.signal)
          : []),
      ];
      const names = unknownNames(all, [...question.only, ...question.skip]);
      // A configuration that is wrong has no other checks: names of those are no slips then.
      if (names.length > 0 && loaded.kind === "ok") return { kind: "unknown-names", names };
      const { clock } = this.parts;
      const timing = { waitMs: question.waitMs, clock };
      const checks = await checkup(selected(all, question), timing, stop.signal);
      return { kind: "report", report: doctorReport(checks, { version: VERSION, clock }) };
    } finally {
      stop.abort();
      await clusters.close();
    }
  }

  async #checks(
    config: Config,
    question: DoctorQuestion,
    clusters: Clusters,
    signal: AbortSignal,
  ): Promise<readonly Check[]> {
    const { clock } = this.parts;
    const { lease, routes } = config;
    const source = clusters.subject("source", config.source);
    const { sourceAccount, destinationAccount } = question;
    const rights = rightsOf(config, destinationAccount);
    const asked = { account: sourceAccount, namespace: lease.namespace };
    const link = await this.#link(config, source, signal);
    const needed = sourceRights(rights);
    return [
      ...clusterChecks(source, clock),
      ...rightsChecks(source, needed, asked),
      excessCheck(source, needed, asked),
      foreignWebhookCheck(source),
      ...config.destinations.flatMap((one) => {
        const destination = clusters.subject("destination", one);
        const own = routes.filter((route) => route.destination === one.name);
        const neededThere = destinationRights(rights, one.name, link);
        const askedThere = { ...asked, account: destinationAccount };
        return [
          ...clusterChecks(destination, clock),
          ...placementChecks(source, destination, own),
          podRangesCheck(source, destination),
          ...rightsChecks(destination, neededThere, askedThere),
          excessCheck(destination, neededThere, askedThere),
          foreignWebhookCheck(destination),
          policyCheck(destination, { routes: own, account: destinationAccount }),
        ];
      }),
      ...this.#webhook(config, question, source),
      ...leaderChecks(source, lease, clock),
      ...config.destinations.map((one) =>
        syncCheck(source, clusters.subject("destination", one), (destination) =>
          this.parts.explain.explain(config, { service: undefined, destination, probe: false }),
        ),
      ),
    ];
  }

  #webhook(config: Config, { isInPod }: DoctorQuestion, source: ClusterSubject): readonly Check[] {
    const { webhook, routes, lease, podName } = config;
    if (!webhook.on) return [];
    const { configuration, certs } = webhook;
    const { namespace } = lease;
    const { clock } = this.parts;
    return [
      ...webhookChecks({
        ...this.parts,
        source,
        routes,
        configuration,
        ownNamespace: namespace,
        certificateProblems: async () => {
          const asked = { source: config.source, namespace, configuration, certs };
          const report = await this.parts.certs.report(asked);
          return report.kind === "cannot" ? [report] : report.problems;
        },
      }),
      handOffCheck(source, {
        place: lease,
        clock,
        ownPod: isInPod ? podName : undefined,
        ask: async (leader, signal) => {
          const api = await source.open();
          return askHandOff({ api, namespace, from: podName, clock }, leader, signal);
        },
      }),
    ];
  }

  /** undefined: the source does not answer, which a check of its own tells. */
  async #link(
    { routes, link, lease }: Config,
    source: ClusterSubject,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      const sourceCluster = await clusterUid(await source.open(), signal);
      const { digest } = this.parts;
      return installation({ routes, link, lease, sourceCluster, digest }).link;
    } catch (error) {
      if (error instanceof RetryableError || error instanceof TerminalError) return link;
      throw error;
    }
  }
}

/** Each cluster is opened once, whoever asks first, and closed at the end. */
class Clusters {
  readonly #opened = new Map<string, Promise<InspectedCluster>>();

  constructor(private readonly openCluster: DoctorCommandParts["open"]) {}

  subject(side: ClusterSubject["side"], { name, access }: Config["source"]): ClusterSubject {
    const context = contextOf({ name, access });
    const key = `${side} ${name}`;
    const open = (): Promise<InspectedCluster> => {
      const opened = this.#opened.get(key) ?? this.openCluster({ name, access });
      this.#opened.set(key, opened);
      // A kubeconfig that is wrong now may be right at the next look.
      opened.catch(() => this.#opened.delete(key));
      return opened;
    };
    return { side, name, context, open };
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(
      opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])),
    );
  }
}

function rightsOf(config: Config, destination: Account): RightsQuestion {
  const { routes, endpoints, lease, webhook, kubeconfigSecret } = config;
  const { on, certs, configuration } = webhook;
  return {
    routes,
    endpoints,
    lease,
    kubeconfigSecret,
    account: destination.kind === "self" ? undefined : destination,
    webhook: { on, certsMode: certs.mode, configuration, secret: SECRET_NAME },
  };
}

/** What is wrong, a check each; with nothing wrong one that says so. */
function configChecks(loaded: ConfigResult): readonly Check[] {
  const check = (subject: string, outcome: Outcome): Check => ({
    id: "config",
    section: "config",
    subject,
    pre: true,
    needs: [],
    isConstant: true,
    run: async () => outcome,
  });
  const text = "correct the setting; docs/configuration.md lists them all";
  switch (loaded.kind) {
    case "invalid":
      return loaded.problems.map((problem, index) =>
        check(`problem ${index + 1}`, fail(problemLine(problem), { text })),
      );
    case "ok": {
      const { config, warnings } = loaded;
      const routes = `${config.routes.length} ${config.routes.length === 1 ? "route" : "routes"}`;
      return [
        check("settings", ok(`the settings are valid: ${routes}`)),
        ...warnings.map((warning, index) => check(`warning ${index + 1}`, warn(warning, { text }))),
      ];
    }
  }
}
