import type { InjectionToken } from "tsyringe";
import type { Service } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import type { Author } from "../domain/stamp.js";

/**
 * Who made a change, for the log and for the mirror; never a reason to do anything. undefined: nothing can be said, because
 * admission is off, or its key is not loaded yet.
 */
export interface Authors {
  /** Who made the Service what it is. */
  of(service: Service): Author | undefined;
  /**
   * Resolves when it can be told who made the Service what it is, or that it cannot: the key of its stamp may not have reached
   * this replica yet. undefined: it can be told now. Never rejects.
   */
  known(service: Service): Promise<void> | undefined;
  /**
   * Who deleted it; only admission knows that, and only for a minute. A promise where the replica that knows may not have told
   * this one yet, because it has led for moments only; never rejects.
   * @param uid of the object that was deleted
   */
  deleterOf(service: ServiceKey, uid: string): Author | undefined | Promise<Author>;
  /** Was this change announced by admission before the watch brought it? */
  wasAnnounced(service: ServiceKey, changeId: string): boolean;
}
export const Authors: InjectionToken<Authors> = Symbol("Authors");

/** Admission is off. */
export const NO_AUTHORS: Authors = {
  of: () => undefined,
  known: () => undefined,
  deleterOf: () => undefined,
  wasAnnounced: () => true,
};
