/** One destination as the core sees it, and what one pass of the core would do to a name there: nothing is written. */
import type { Reason } from "../domain/codes.js";
import type { Installation } from "../domain/installation.js";
import { targetNamespaces } from "../domain/namespaces.js";
import type { IpFamily } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { Digest } from "../domain/slice.js";
import { DestinationCache } from "../intake/destination-cache.js";
import type { SourceCache } from "../intake/source-cache.js";
import { NO_AUTHORS } from "../ports/authors.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { Random } from "../ports/random.js";
import { Applier } from "../reconcile/applier.js";
import { EndpointsPass } from "../reconcile/endpoints-pass.js";
import { OrphanReporter } from "../reconcile/orphan-reporter.js";
import { SourceProof } from "../reconcile/proof.js";
import { Reconciler } from "../reconcile/reconciler.js";
import { Reporter } from "../reconcile/reporter.js";
import type { Failure, ServiceState } from "../reconcile/service-state.js";
import { Voice } from "../reconcile/voice.js";
import type { DryApi, DueWrite } from "./dry-api.js";
import { NO_EVENTS, NO_LOG, NO_METRICS, NO_OBSERVER } from "./silence.js";

export interface DryDestinationSettings {
  readonly destination: string;
  readonly paused: boolean;
  readonly adopt: "on" | "off" | "report";
  readonly endpoints: "slices" | "endpoints" | "both";
  readonly installation: Installation;
  readonly families: readonly IpFamily[];
  /** Where to look; undefined: in all mapped namespaces. */
  readonly namespaces?: readonly string[];
}

export interface DryDestinationParts {
  readonly api: DryApi;
  /** Asked before anything counts as unwanted. */
  readonly sourceApi: DryApi;
  readonly source: SourceCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
}

/** What one pass over one name came to. */
export interface Look {
  /** Of each Service that wants the name. */
  readonly states: readonly ServiceState[];
  /** Of a mirror that nobody wants and that stays. */
  readonly orphan: Reason | undefined;
  readonly due: readonly DueWrite[];
  /** The attempt failed, as the leader's would. */
  readonly failure: Failure | undefined;
}

/** Nothing here belongs to an installation that runs. */
const NOBODY = { apiVersion: "v1", kind: "Lease", namespace: "", name: "", uid: "" };

export class DryDestination {
  readonly view: DestinationCache;
  readonly #reporter: Reporter;
  readonly #orphans: OrphanReporter;
  readonly #reconciler: Reconciler;

  constructor(
    private readonly settings: DryDestinationSettings,
    private readonly parts: DryDestinationParts,
  ) {
    const { destination: name, installation, endpoints: mode } = settings;
    const { api, source, clock, random, digest } = parts;
    const routes = installation.routes.filter(({ destination }) => destination === name);
    this.view = new DestinationCache({
      api,
      clock,
      random,
      log: NO_LOG,
      digest,
      observe: () => NO_OBSERVER,
      link: installation.link,
      marks: routes.map(({ mark }) => mark),
      namespaces: settings.namespaces ?? targetNamespaces(routes),
      strays: [],
      primaryFamilies: settings.families,
      onTarget: () => {},
      onRelisted: () => {},
    });
    const voice = new Voice({ sourceContext: "", destinationContext: "" }, NO_LOG, NO_EVENTS);
    const told = { log: NO_LOG, events: NO_EVENTS, metrics: NO_METRICS, voice, clock };
    const orphanSettings = { destination: name, leaseSubject: NOBODY, allowHint: () => "" };
    this.#orphans = new OrphanReporter(orphanSettings, told);
    const wanting = (target: ServiceKey) => source.candidates(name, target);
    const authors = NO_AUTHORS;
    this.#reporter = new Reporter(name, { ...told, orphans: this.#orphans, authors, wanting });
    const applier = new Applier(name, api, this.view, NO_METRICS);
    const proof = new SourceProof(parts.sourceApi, source, installation);
    const common = { source, view: this.view, applier, proof };
    const endpoints = new EndpointsPass({ installation, mode, digest }, common);
    const reporter = this.#reporter;
    this.#reconciler = new Reconciler(settings, { ...common, endpoints, authors, reporter });
  }

  /** Reads what is there; it is kept until `signal` aborts. @throws what the first list that failed said */
  async fill(signal: AbortSignal): Promise<void> {
    const running = this.view.start(signal);
    // It ends with the signal only; what it says then interests nobody.
    running.catch(() => {});
    await Promise.race([this.view.synced(), this.parts.api.trouble]);
  }

  /** One pass, as a sweep would make it: a mirror that nobody wants is asked about. */
  async look(target: ServiceKey, signal: AbortSignal): Promise<Look> {
    const { api, source, clock } = this.parts;
    const note = { sinceMs: clock.monotonicMs(), cause: "sweep" as const, swept: true };
    const permit = { signal, permit: () => true, priority: "live" as const };
    const failure = await this.#failureOf(
      this.#reconciler.reconcile({ target, note, permit, graceOver: false }),
    );
    const due = api.takeDue();
    return {
      states: source
        .candidates(this.settings.destination, target)
        .flatMap(
          ({ service }) =>
            this.#reporter.stateOf(target, `${service.namespace}/${service.name}`) ?? [],
        ),
      orphan: [...this.#orphans.all()].find((orphan) => orphan.target === target)?.reason,
      due,
      failure,
    };
  }

  async #failureOf(pass: Promise<unknown>): Promise<Failure | undefined> {
    try {
      await pass;
      return undefined;
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error;
      return { code: error.code, message: error.message };
    }
  }
}
