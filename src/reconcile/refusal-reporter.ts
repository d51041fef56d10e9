/** Selected Services that may not go where they ask to: an Event and a log line each, once, while this process leads. */
import type { Service } from "../domain/objects.js";
import { keyOf, type ServiceKey } from "../domain/service-key.js";
import type { Mapping } from "../domain/target.js";
import type { EventSink } from "../ports/event-sink.js";
import type { Log } from "../ports/log.js";
import type { SourceView } from "../ports/source-view.js";

type Refused = Extract<Mapping, { kind: "refused" }>;

export interface RefusalReporterParts {
  readonly log: Log;
  readonly events: EventSink;
  readonly source: SourceView;
}

export class RefusalReporter {
  /** Messages last reported, by Service and route. */
  readonly #reported = new Map<ServiceKey, ReadonlyMap<string, string>>();
  #leading = false;

  constructor(
    private readonly sourceContext: string,
    private readonly parts: RefusalReporterParts,
  ) {}

  /** A term begins: everything that is refused now is reported. */
  begin(): void {
    this.#leading = true;
    this.#reported.clear();
    const refused = [...this.parts.source.refused()].map(([service]) => keyOf(service));
    for (const service of new Set(refused)) this.changed(service);
  }

  end(): void {
    this.#leading = false;
  }

  /** The refusal of this Service came, changed or went. */
  changed(key: ServiceKey): void {
    if (!this.#leading) return;
    const before = this.#reported.get(key);
    const refusals = this.parts.source.refusals(key);
    const now = new Map(refusals.map(([, { route, reason }]) => [route.name, reason.message]));
    if (now.size > 0) this.#reported.set(key, now);
    else this.#reported.delete(key);
    for (const [service, refusal] of refusals) {
      const { route, reason } = refusal;
      if (before?.get(route.name) !== reason.message) this.#report(service, refusal);
    }
    if (before !== undefined && now.size === 0) {
      this.parts.log.info({ service: key, outcome: "mapped" }, "no longer refused");
    }
  }

  #report(service: Service, { reason, route, target }: Refused): void {
    const { namespace, name, uid } = service;
    this.parts.log.info(
      {
        route: {
          from: `${this.sourceContext}/${keyOf(service)}`,
          to: `${route.destination}/${target}`,
        },
        outcome: "refused",
        code: reason.code,
        reason: reason.message,
      },
      "not synced",
    );
    const subject = { apiVersion: "v1", kind: "Service", namespace, name, uid };
    const message = `${reason.code}: ${reason.message}`;
    this.parts.events.emit({ subject, type: "Warning", reason: "Refused", message });
  }
}
