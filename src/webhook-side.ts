/**
 * Admission in one process: certificates, the port that API servers call, what it let pass on its way to the leader, and what
 * the leader makes of that. Wires, decides nothing.
 */
import type { RotationSettings } from "../certs/rotation-settings.js";
import { AdmissionReporter } from "../webhook/admission-reporter.js";
import { HandOffClient } from "../webhook/hand-off-client.js";
import { HandOffServer } from "../webhook/hand-off-server.js";
import { LIMITS } from "../webhook/limits.js";
import type { PageOfLeader } from "../webhook/hand-off-app.js";
import type { HandOffLeader } from "../webhook/leader-connection.js";
import { Outbox } from "../webhook/outbox.js";
import { PageClient } from "../webhook/page-client.js";
import { WebhookServer } from "../webhook/webhook-server.js";
import { AdmissionRules } from "./admission-rules.js";
import { Certificates } from "./certificates.js";
import type { Config } from "./config/config.js";
import type { Core } from "./core.js";
import { HAND_OFF_ANNOTATION } from "./domain/labels.js";
import type { Service } from "./domain/objects.js";
import { splitKey, type ServiceKey } from "./domain/service-key.js";
import { stampIn, type Author } from "./domain/stamp.js";
import { Announced } from "./intake/announced.js";
import { Expectations } from "./intake/expectations.js";
import { HintReporter } from "./intake/hint-reporter.js";
import type { Leader } from "./leader/elector.js";
import { aborted } from "./ports/aborted.js";
import type { Authors } from "./ports/authors.js";
import type { HandOffBatch } from "./ports/hand-off.js";
import type { Readiness } from "./ports/health.js";
import type { KubeApi } from "./ports/kube-api.js";
import type { LeaderPage } from "./ports/leader-page.js";
import { SERVICES } from "./ports/kube-resources.js";
import type { Term } from "./ports/term.js";
import { ownAddress } from "./runtime/own-address.js";
import type { Surroundings } from "./surroundings.js";
import { watchMetrics } from "./watch-metrics.js";

export interface WebhookSideParts {
  /** The source. */
  readonly api: KubeApi;
  readonly around: Surroundings;
  readonly core: () => Core;
  readonly leader: () => Leader | undefined;
  readonly page: PageOfLeader;
  /** How long certificates live. */
  readonly rotation: RotationSettings;
}

/**
 * API servers go on sending for a moment after a pod has left its Service: endpoints take about a second to spread, kube-proxy's
 * `--iptables-min-sync-period`. Where nobody asks, all of these together stay below the 5 s of a stop.
 */
const DRAIN_MS = 2_500;
/** Where somebody does: half of the pod's 30 s of grace. */
const MAX_DRAIN_MS = 15_000;
const FINISH_MS = 1_000;
/** After the last answer: what it let pass is still told to who leads now. */
const LAST_WORDS_MS = 300;
/** After a look at the Lease, which comes once in a retry period: until a replica has told a new leader what it knows. */
const GREETING_MS = 1_000;

export class WebhookSide implements Authors, LeaderPage {
  readonly #certificates: Certificates;
  readonly #server: WebhookServer;
  readonly #handOff: HandOffServer;
  readonly #link: HandOffClient;
  readonly #pages: PageClient;
  readonly #outbox: Outbox;
  readonly #expectations: Expectations;
  readonly #announced: Announced;
  /** While this process leads. */
  #term: Term | undefined;
  #ledSinceMs = -Infinity;
  readonly #rules: AdmissionRules;

  constructor(
    private readonly config: Config,
    private readonly parts: WebhookSideParts,
  ) {
    const { api, around } = parts;
    const { clock, random, metrics } = around;
    const { bindAddress } = config.http;
    const observe = watchMetrics(metrics)(api.cluster);
    this.#certificates = new Certificates(
      config,
      { api, clock, random, log: around.log, metrics, observe },
      parts.rotation,
    );
    this.#announced = new Announced(clock);
    this.#expectations = this.#newExpectations();
    const log = around.log.child("hand-off");
    this.#handOff = new HandOffServer(
      { bindAddress, port: config.webhook.handOff.port },
      {
        clock,
        log,
        identities: this.#certificates.handOff,
        receive: this.#receive,
        page: parts.page,
      },
    );
    const identities = this.#certificates.handOff;
    const leader = (): HandOffLeader | undefined => this.#leader();
    const from = config.podName;
    this.#link = new HandOffClient({ clock, from, identities, receive: this.#receive, leader });
    this.#pages = new PageClient({ clock, identities, leader });
    this.#outbox = new Outbox({ clock, log, metrics, link: this.#link });
    this.#rules = new AdmissionRules(config, {
      ...parts,
      hints: this.#outbox,
      signer: () => this.#certificates.signer,
    });
    const settings = { bindAddress, port: config.webhook.port, limits: LIMITS };
    this.#server = new WebhookServer(
      { ...settings, drainMs: DRAIN_MS, maxDrainMs: MAX_DRAIN_MS, finishMs: FINISH_MS },
      this.#certificates.serving,
      this.#rules.handlers,
      new AdmissionReporter(clock, around.log, metrics),
      clock,
    );
  }

  /** What this process publishes on the Lease while it leads. */
  annotations(handOffPort: number): Readonly<Record<string, string>> {
    const { bindAddress } = this.config.http;
    const isOpen = bindAddress === "::" || bindAddress === "0.0.0.0";
    const own = isOpen ? ownAddress() : bindAddress;
    const address = this.config.webhook.handOff.address ?? own;
    const host = address.includes(":") ? `[${address}]` : address;
    return { [HAND_OFF_ANNOTATION]: `${host}:${handOffPort}` };
  }

  /** Whether API servers may send reviews here. */
  readiness(): Readiness {
    const waitingFor = [this.#server.readiness(), this.#certificates.readiness()].flatMap(
      (one) => one.waitingFor,
    );
    return { ok: waitingFor.length === 0, waitingFor };
  }

  of(service: Service): Author | undefined {
    return this.#rules.authorOf(service);
  }

  known({ annotations }: Service): Promise<void> | undefined {
    const signature = stampIn(annotations)?.signature;
    return signature === undefined ? undefined : this.#certificates.findKey(signature);
  }

  deleterOf(service: ServiceKey, uid: string): Author | Promise<Author> {
    const author = this.#announced.deleterOf(service, uid);
    const { clock } = this.parts.around;
    const waitMs =
      this.#ledSinceMs + this.config.lease.retryPeriodMs + GREETING_MS - clock.monotonicMs();
    if (author.kind === "known" || this.#term === undefined || waitMs <= 0) return author;
    const limit = clock.sleep(waitMs, this.#term.signal);
    return this.#announced.deleterWithin(service, uid, limit);
  }

  wasAnnounced(service: ServiceKey, changeId: string): boolean {
    return this.#announced.has(service, changeId);
  }

  ask(search: string): Promise<unknown> {
    return this.#pages.ask(search);
  }

  /** The source's cache has something new about this Service. */
  changed(service: ServiceKey): void {
    this.#rules.observed(service);
    this.#expectations.changed(service);
  }

  /** Who leads may be another now. */
  leaderChanged(): void {
    this.#outbox.leaderChanged();
  }

  /** Listens for other replicas, so that the port is known before there is a leader. @throws when it may not be had */
  listen(signal: AbortSignal): Promise<number> {
    return this.#handOff.start(signal);
  }

  /**
   * Serves until `signal` aborts, and then until nothing is in flight. What was let pass meanwhile is still handed on.
   * @throws when the port may not be had
   */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const background = Promise.all([
      this.#certificates.start(ended.signal),
      this.#outbox.run(ended.signal),
      this.#link.keepOpen(ended.signal),
    ]);
    try {
      await this.#server.start(signal);
      await aborted(signal);
      await this.#server.stop();
      await this.#outbox.told(LAST_WORDS_MS);
    } finally {
      ended.abort();
      await background;
      this.#link.stop();
      this.#pages.stop();
      await this.#handOff.stop();
    }
  }

  /** The leader's part, for one term. Never rejects. */
  async lead(term: Term): Promise<void> {
    this.#term = term;
    this.#ledSinceMs = this.parts.around.clock.monotonicMs();
    this.leaderChanged();
    await Promise.all([this.#certificates.lead(term), this.#expectations.run(term.signal)]);
    this.#term = undefined;
  }

  /** Takes hints while this process leads: its own, and those of other replicas. */
  readonly #receive = ({ hints, resync }: HandOffBatch): boolean => {
    if (this.#term === undefined || this.#term.signal.aborted) return false;
    for (const hint of hints) {
      this.#announced.remember(hint);
      this.#expectations.offer(hint);
    }
    if (resync) this.parts.core().resync();
    return true;
  };

  #leader(): HandOffLeader | undefined {
    const leader = this.parts.leader();
    if (leader === undefined) return undefined;
    const { identity, transitions, annotations, isUs } = leader;
    // A process that leads again has forgotten what it was told in its last term.
    const term = isUs ? this.#term?.number : transitions;
    const processId = `${leader.processId}/${term ?? ""}`;
    return { identity, processId, isUs, address: annotations[HAND_OFF_ANNOTATION] };
  }

  #newExpectations(): Expectations {
    const { api, around, core } = this.parts;
    return new Expectations({
      clock: around.clock,
      cached: (service) => core().cache.service(service),
      read: (service, signal) => api.get(SERVICES, splitKey(service), signal),
      parse: (object) => core().cache.parse(object),
      observed: (service, object) => core().cache.observed(service, object),
      listener: new HintReporter(around),
    });
  }
}
