/** What `svc-ferry explain` asks of both sides. Reads; the core's own parts decide, src/explain words it. */
import type { Explain } from "./cli/explain.js";
import type { Config } from "./config/config.js";
import { suggest } from "./config/suggest.js";
import { whyForeign } from "./domain/ownership.js";
import { sourceOf } from "./domain/plan.js";
import { SERVICE_NAME_LABEL } from "./domain/labels.js";
import type { Service } from "./domain/objects.js";
import { whyMirror } from "./domain/selection.js";
import { keyOf, serviceKey, splitKey, type ServiceKey } from "./domain/service-key.js";
import type { Mapping } from "./domain/target.js";
import {
  failureOf,
  openWorld,
  type ExplainWorld,
  type ExplainWorldParts,
  type OpenedCluster,
} from "./explain-world.js";
import type { DryDestination } from "./explain/dry-destination.js";
import { finding, notSelected, orphanFinding, unknownFinding } from "./explain/finding.js";
import { nearMisses } from "./explain/near-misses.js";
import type { ExplainQuestion, ExplainReport, Finding } from "./ports/explain-report.js";
import type { KubeObject } from "./ports/kube-api.js";
import { ENDPOINT_SLICES, SERVICES } from "./ports/kube-resources.js";
import { rfc3339 } from "./ports/timestamps.js";
import { VERSION } from "./version.js";

/** Pods that are named when nobody answers. */
const MAX_NAMED_PODS = 5;
const ASK_DOCTOR = "svc-ferry doctor    (says what of the cluster cannot be reached or read)";

export class ExplainCommand implements Explain {
  constructor(private readonly parts: ExplainWorldParts) {}

  async explain(config: Config, question: ExplainQuestion): Promise<ExplainReport> {
    const opened: OpenedCluster[] = [];
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const world = await openWorld(this.parts, config, opened, signal);
      await world.fillSource(signal);
      const findings = await new Explanation(config, world, signal).of(question);
      return {
        apiVersion: "svc-ferry.io/cli/v1",
        kind: "ExplainReport",
        time: rfc3339(this.parts.clock.now()),
        version: VERSION,
        source: config.source.name,
        asked: question.service,
        findings,
      };
    } finally {
      stop.abort();
      await Promise.all(opened.map((cluster) => cluster.close()));
    }
  }
}

type Wish = Extract<Mapping, { kind: "target" }>;

/** One run of the command. */
class Explanation {
  constructor(
    private readonly config: Config,
    private readonly world: ExplainWorld,
    private readonly signal: AbortSignal,
  ) {}

  of({ service, destination }: ExplainQuestion): Promise<readonly Finding[]> {
    if (service === undefined) return this.#everything(destination);
    return destination === undefined ? this.#service(service) : this.#mirror(service, destination);
  }

  async #service(key: ServiceKey): Promise<readonly Finding[]> {
    const object = await this.world.source.get(SERVICES, splitKey(key), this.signal);
    if (object === undefined) return [await this.#noSuch(key)];
    const service = this.world.cache.parse(object);
    const found = this.world.cache.mappings(service);
    if (found.length === 0) return [this.#notTaken(service)];
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
      const there = await this.world.destination(destination, namespaces, this.signal);
      const look = await there.look(mapping.target, this.signal);
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
    const state = look?.states.find(({ source }) => source === keyOf(service));
    const isSilent = state?.endpoints?.ready === 0;
    return finding({
      service,
      mapping,
      look,
      contexts: this.#contexts(mapping.route.destination),
      blocked: this.world.blocked(mapping.route.destination),
      notReady: isSilent ? await this.#notReady(service) : [],
    });
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
    const there = await this.world.destination(destination, namespaces, this.signal);
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
        const look = await there.look(target, this.signal);
        return orphanFinding(target, source, destination, {
          look,
          contexts: this.#contexts(destination),
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
    for (const { name } of this.config.destinations) {
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
    const there = await this.world.destination(destination, undefined, this.signal);
    for (const target of there.view.mirrors()) {
      if (targets.has(target)) continue;
      const orphan = await this.#unwanted(target, destination, there);
      if (orphan !== undefined) findings.push(orphan);
    }
    return findings;
  }

  /** No route takes it: why, and what it would take. */
  #notTaken(service: Service): Finding {
    const key = keyOf(service);
    const { mapping } = this.world;
    const code = "not-selected";
    if (service.deleting) {
      const message = "it is being deleted";
      return notSelected(key, { code, message }, { text: message });
    }
    const mirror = whyMirror(service, mapping);
    if (mirror !== undefined) return notSelected(key, mirror, { text: mirror.message });
    const misses = nearMisses(service, mapping.routes);
    const text = misses.map((miss) => `route "${miss.route}": ${miss.text}`).join("; ");
    const [nearest] = misses;
    const { sourceContext } = this.#contexts("");
    const { namespace, name } = splitKey(key);
    const fix =
      nearest?.label === undefined
        ? "label a Service in one of the route's namespaces, or add this one to the configuration"
        : `kubectl --context ${sourceContext} -n ${namespace} label --overwrite service ${name} ${nearest.label}`;
    return notSelected(key, { code, message: `no route takes it: ${text}` }, { text, fix });
  }

  /** There is no such Service: is there one of a similar name? */
  async #noSuch(key: ServiceKey): Promise<Finding> {
    const { namespace, name } = splitKey(key);
    const here = await this.#names(namespace);
    const near = suggest(name, here);
    const elsewhere = await this.#elsewhere(namespace, name);
    const meant = [...(near === undefined ? [] : [serviceKey(namespace, near)]), ...elsewhere];
    const hint = meant.length === 0 ? "" : `; did you mean ${meant.join(" or ")}?`;
    const message = `there is no Service ${key} in ${this.config.source.name}${hint}`;
    const [first] = meant;
    return notSelected(
      key,
      { code: "not-selected", message },
      {
        text: message,
        fix: first === undefined ? undefined : `svc-ferry explain ${first}`,
      },
    );
  }

  async #names(namespace: string): Promise<readonly string[]> {
    try {
      const options = { namespace, metadataOnly: true };
      const { items } = await this.world.source.list(SERVICES, options, this.signal);
      return items.map(({ metadata }) => metadata.name);
    } catch (error) {
      failureOf(error);
      // Who may not list there gets no suggestion; the finding stands without one.
      return [];
    }
  }

  /** The same name in other namespaces of the routes. */
  async #elsewhere(namespace: string, name: string): Promise<readonly ServiceKey[]> {
    const others = this.world.mapping.routes
      .flatMap(({ namespaces }) => (namespaces === "all" ? [] : namespaces))
      .filter((one) => one !== namespace);
    const found = await Promise.all(
      [...new Set(others)].map(async (one) => {
        const object = await this.world.source.get(SERVICES, { namespace: one, name }, this.signal);
        return object === undefined ? [] : [serviceKey(one, name)];
      }),
    );
    return found.flat();
  }

  async #notReady({ namespace, name }: Service): Promise<readonly string[]> {
    const labelSelector = `${SERVICE_NAME_LABEL}=${name}`;
    const { items } = await this.world.source.list(
      ENDPOINT_SLICES,
      { namespace, labelSelector },
      this.signal,
    );
    return items.flatMap(podsNotReady).slice(0, MAX_NAMED_PODS);
  }

  #contexts(destination: string): {
    readonly sourceContext: string;
    readonly destinationContext: string;
  } {
    const { source, destinations } = this.config;
    const there = destinations.find(({ name }) => name === destination);
    const contextOf = ({ name, access }: Config["source"]): string =>
      access.kind === "kubeconfig" ? access.context : name;
    return {
      sourceContext: contextOf(source),
      destinationContext: there === undefined ? destination : contextOf(there),
    };
  }
}

/** Of a raw slice, whose copies in the caches know no pods. */
function podsNotReady(slice: KubeObject): readonly string[] {
  const { endpoints } = slice as {
    readonly endpoints?:
      | readonly {
          readonly conditions?: { readonly ready?: boolean | null };
          readonly targetRef?: { readonly name?: string };
        }[]
      | null;
  };
  return (endpoints ?? []).flatMap(({ conditions, targetRef }) =>
    conditions?.ready === false && targetRef?.name !== undefined ? [targetRef.name] : [],
  );
}
