/** What `svc-ferry explain` asks of both sides. Reads; the core's own parts decide, src/explain words it. */
import type { Explain } from "./cli/explain.js";
import type { Answer } from "./cli/read-status.js";
import type { Config } from "./config/config.js";
import { whyForeign } from "./domain/ownership.js";
import { sourceOf } from "./domain/plan.js";
import type { Service } from "./domain/objects.js";
import { keyOf, splitKey, type ServiceKey } from "./domain/service-key.js";
import type { Mapping } from "./domain/target.js";
import { noSuch, notTaken } from "./explain-absent.js";
import { leaderStatus } from "./explain-leader.js";
import { lastWrite } from "./explain-last-write.js";
import { podsNotReady, probed } from "./explain-endpoints.js";
import {
  failureOf,
  openWorld,
  type ExplainWorld,
  type ExplainWorldParts,
  type OpenedCluster,
} from "./explain-world.js";
import type { DryDestination } from "./explain/dry-destination.js";
import { finding, notSelected, orphanFinding, unknownFinding } from "./explain/finding.js";
import { contextOf, contextsOf } from "./config/kubectl-contexts.js";
import type { Connect } from "./ports/connect.js";
import type { ExplainQuestion, ExplainReport, Finding } from "./ports/explain-report.js";
import { SERVICES } from "./ports/kube-resources.js";
import { rfc3339 } from "./ports/timestamps.js";
import { VERSION } from "./version.js";

export interface ExplainCommandParts extends ExplainWorldParts {
  /** From this host. */
  readonly connect: Connect;
}

const ASK_DOCTOR = "svc-ferry doctor    (says what of the cluster cannot be reached or read)";

export class ExplainCommand implements Explain {
  constructor(private readonly parts: ExplainCommandParts) {}

  async explain(config: Config, question: ExplainQuestion): Promise<ExplainReport> {
    const opened: OpenedCluster[] = [];
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const world = await openWorld(this.parts, config, opened, signal);
      await world.fillSource(signal);
      const run = { config, question, connect: this.parts.connect, signal };
      const findings = await new Explanation(world, run).findings();
      return {
        apiVersion: "svc-ferry.io/cli/v1",
        kind: "ExplainReport",
        time: rfc3339(this.parts.clock.now()),
        version: VERSION,
        source: config.source.name,
        asked: question.service,
        leader: world.leader,
        findings,
      };
    } finally {
      stop.abort();
      await Promise.all(opened.map((cluster) => cluster.close()));
    }
  }

  leaderStatus(config: Config, pod: string): Promise<Answer> {
    return leaderStatus(this.parts.open, config, pod);
  }
}

type Wish = Extract<Mapping, { kind: "target" }>;

/** One run of the command. */
interface Run {
  readonly config: Config;
  readonly question: ExplainQuestion;
  readonly connect: Connect;
  readonly signal: AbortSignal;
}

class Explanation {
  constructor(
    private readonly world: ExplainWorld,
    private readonly run: Run,
  ) {}

  findings(): Promise<readonly Finding[]> {
    const { service, destination } = this.run.question;
    if (service === undefined) return this.#everything(destination);
    return destination === undefined ? this.#service(service) : this.#mirror(service, destination);
  }

  async #service(key: ServiceKey): Promise<readonly Finding[]> {
    const object = await this.world.source.get(SERVICES, splitKey(key), this.run.signal);
    if (object === undefined) {
      const { source, mapping } = this.world;
      const asked = { source, name: this.run.config.source.name, routes: mapping.routes };
      return [await noSuch(key, asked, this.run.signal)];
    }
    const service = this.world.cache.parse(object);
    const found = this.world.cache.mappings(service);
    if (found.length === 0)
      return [notTaken(service, this.world.mapping, contextOf(this.run.config.source))];
    return this.#inTurn(found, (mapping) => this.#mapped(service, mapping));
  }

  /** One after the other: what is due is noted for one pass at a time. */
  async #inTurn<T>(
    items: readonly T[],
    find: (item: T) => Promise<Finding>,
  ): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const item of items) findings.push(await find(item));
    return findings;
  }

  async #mapped(service: Service, mapping: Mapping): Promise<Finding> {
    if (mapping.kind === "refused") return this.#finding({ service, mapping });
    return this.#looked(service, mapping, [splitKey(mapping.target).namespace]);
  }

  /** @param namespaces what is read of the destination for it */
  async #looked(
    service: Service,
    mapping: Wish,
    namespaces: readonly string[] | undefined,
  ): Promise<Finding> {
    const { destination } = mapping.route;
    const unreached = this.world.failureOf(destination);
    if (unreached !== undefined) return unknownFinding({ service, mapping }, unreached, ASK_DOCTOR);
    try {
      const there = await this.world.destination(destination, namespaces, this.run.signal);
      const look = await there.look(mapping.target, this.run.signal);
      return this.#finding({ service, mapping, look });
    } catch (error) {
      return unknownFinding({ service, mapping }, failureOf(error), ASK_DOCTOR);
    }
  }

  async #finding(known: {
    readonly service: Service;
    readonly mapping: Mapping;
    readonly look?: Awaited<ReturnType<DryDestination["look"]>>;
  }): Promise<Finding> {
    const { service, mapping, look } = known;
    const { signal } = this.run;
    const key = keyOf(service);
    const ready = look?.states.find(({ source }) => source === key)?.endpoints?.ready;
    const isSilent = ready === 0;
    const isProbed = this.run.question.probe && ready !== undefined && ready > 0;
    return finding({
      service,
      mapping,
      look,
      contexts: contextsOf(this.run.config, mapping.route.destination),
      blocked: this.world.blocked(mapping.route.destination),
      notReady: isSilent ? await podsNotReady(this.world.source, key, signal) : [],
      lastWrite: look === undefined ? undefined : await this.#lastWrite(mapping),
      probes: isProbed ? await this.#probed(mapping) : undefined,
    });
  }

  /** Of everything it would be a request for each. */
  async #lastWrite({ target, route }: Mapping): Promise<string | undefined> {
    const api = this.world.destinationApi(route.destination);
    const isAll = this.run.question.service === undefined;
    return api === undefined || isAll ? undefined : lastWrite(api, target, this.run.signal);
  }

  /** undefined: the destination cannot be asked for its endpoints. */
  async #probed({ target, route }: Mapping): Promise<Finding["probes"]> {
    const api = this.world.destinationApi(route.destination);
    return api && probed({ api, connect: this.run.connect }, target, this.run.signal);
  }

  /** What lies under a name in a destination, and who wants it. */
  async #mirror(target: ServiceKey, destination: string): Promise<readonly Finding[]> {
    const { cache } = this.world;
    const wanting = cache.candidates(destination, target);
    const namespaces = [splitKey(target).namespace];
    if (wanting.length > 0) {
      return this.#inTurn(wanting, ({ service, route }) =>
        this.#looked(service, { kind: "target", route, target }, namespaces),
      );
    }
    const there = await this.world.destination(destination, namespaces, this.run.signal);
    const finding = await this.#unwanted(target, destination, there);
    return [finding ?? this.#nothingThere(target, destination)];
  }

  /** undefined: nothing is there. */
  async #unwanted(
    target: ServiceKey,
    destination: string,
    there: DryDestination,
  ): Promise<Finding | undefined> {
    const existing = there.view.existing(target);
    switch (existing.kind) {
      case "absent":
        return undefined;
      case "foreign":
        return notSelected(target, whyForeign(target, existing.foreign), {
          text: `no Service of the source wants this name in ${destination}, and what has it is no mirror of ours`,
        });
      case "ours": {
        const source = sourceOf(existing.service) ?? target;
        const look = await there.look(target, this.run.signal);
        return orphanFinding(target, source, destination, {
          look,
          contexts: contextsOf(this.run.config, destination),
        });
      }
    }
  }

  #nothingThere(target: ServiceKey, destination: string): Finding {
    const message = `there is no Service ${target} in ${destination}, and none of the source wants that name`;
    return notSelected(target, { code: "not-selected", message }, { text: message });
  }

  async #everything(only: string | undefined): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const [service, mapping] of this.world.cache.refused()) {
      findings.push(await this.#finding({ service, mapping }));
    }
    for (const { name } of this.run.config.destinations) {
      if (only !== undefined && only !== name) continue;
      findings.push(...(await this.#destination(name)));
    }
    return findings;
  }

  async #destination(destination: string): Promise<readonly Finding[]> {
    const { cache } = this.world;
    const findings: Finding[] = [];
    const targets = new Set(cache.targets(destination));
    for (const target of targets) {
      for (const { service, route } of cache.candidates(destination, target)) {
        const wish: Wish = { kind: "target", route, target };
        findings.push(await this.#looked(service, wish, undefined));
      }
    }
    if (this.world.failureOf(destination) !== undefined) return findings;
    const there = await this.world.destination(destination, undefined, this.run.signal);
    for (const target of there.view.mirrors()) {
      if (targets.has(target)) continue;
      const orphan = await this.#unwanted(target, destination, there);
      if (orphan !== undefined) findings.push(orphan);
    }
    return findings;
  }
}
