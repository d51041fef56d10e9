/** How the parts of a destination speak: log lines with a route, Events on source Services. */
import type { Service } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { EventReason, EventSink } from "../ports/event-sink.js";
import type { Log, LogFields } from "../ports/log.js";

export interface VoiceSettings {
  readonly sourceContext: string;
  /** What logs call the destination: its context. */
  readonly destinationContext: string;
}

export class Voice {
  constructor(
    private readonly settings: VoiceSettings,
    private readonly log: Log,
    private readonly events: EventSink,
  ) {}

  /** An info line about one Service on its way. */
  say(source: ServiceKey, target: ServiceKey, fields: LogFields, message: string): void {
    this.log.info({ ...this.route(source, target), ...fields }, message);
  }

  /** An Event on the source Service. */
  event(
    service: Pick<Service, "namespace" | "name" | "uid">,
    type: "Normal" | "Warning",
    reason: EventReason,
    message: string,
  ): void {
    const { namespace, name, uid } = service;
    const subject = { apiVersion: "v1", kind: "Service", namespace, name, uid };
    this.events.emit({ subject, type, reason, message });
  }

  route(source: ServiceKey, target: ServiceKey): LogFields {
    return { route: { from: `${this.settings.sourceContext}/${source}`, to: this.to(target) } };
  }

  /** The target as people read it: `context/namespace/name`. */
  to(target: ServiceKey): string {
    return `${this.settings.destinationContext}/${target}`;
  }
}
