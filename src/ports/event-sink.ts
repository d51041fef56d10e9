import type { InjectionToken } from "tsyringe";

/** Reasons of Events, as `kubectl describe` shows them; each is explained in docs/codes.md. */
export type EventReason =
  | "Synced"
  | "Adopted"
  | "NameConflict"
  | "Refused"
  | "Paused"
  | "Removed"
  | "MassDeleteBlocked"
  | "TypeReduced"
  | "EndpointsWarning";

/** The object that an Event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** One Event to be written. */
export interface EventRecord {
  readonly subject: EventSubject;
  readonly type: "Normal" | "Warning";
  readonly reason: EventReason;
  readonly message: string;
}

/** Where Events go. Fire and forget: an Event that cannot be written is dropped and counted, nothing waits for it. */
export interface EventSink {
  emit(record: EventRecord): void;
}
export const EventSink: InjectionToken<EventSink> = Symbol("EventSink");
