/** Selected Services that may not go where they ask to: an Event and a log line each, once, while this process leads. */
import type { Service } from "../domain/objects.js";
import { serviceKey, type ServiceKey } from "../domain/service-key.js";
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
  /** Message last reported, by Service. */
  readonly #reported = new Map<ServiceKey, string>();
  #leading = false;

  constructor(
    private readonly sourceContext: string,
    private readonly parts: RefusalReporterParts,
  ) {}

  /** A term begins: everything that is refused now is reported. */
  begin(): void {
    this.#leading = true;
    this.#reported.clear();
    for (const [service, refusal] of this.parts.source.refused()) this.#report(service, refusal);
  }

  end(): void {
    this.#leading = false;
  }

  /** The refusal of this Service came, changed or went. */
  changed(key: ServiceKey): void {
    if (!this.#leading) return;
    const refusal = this.parts.source.refusal(key);
    if (refusal !== undefined) return this.#report(...refusal);
    if (this.#reported.delete(key)) {
      this.parts.log.info({ service: key, outcome: "mapped" }, "no longer refused");
    }
  }

  #report(service: Service, { reason, route, target }: Refused): void {
    const key = keyOf(service);
    if (this.#reported.get(key) === reason.message) return;
    this.#reported.set(key, reason.message);
    const { namespace, name, uid } = service;
    this.parts.log.info(
      {
        route: { from: `${this.sourceContext}/${key}`, to: `${route.destination}/${target}` },
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

function keyOf(service: Service): ServiceKey {
  return serviceKey(service.namespace, service.name);
}
