import type { Clock } from "../ports/clock.js";
import type { KubeApi, KubeObject, Resource } from "../ports/kube-api.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { Change } from "./change.js";

/** Which objects; all fields as in the API's list and watch. */
export interface Scope {
  /** undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Why the reflector lists; a closed set, fit for a metric label. */
export type RelistReason =
  /** The first list. */
  | "start"
  /** `relistEveryMs` is over. */
  | "periodic"
  /** Somebody called `relist()`. */
  | "requested"
  /** 410 or a version in the future. */
  | "version"
  /** The server's versions went backwards: its etcd was restored from an older snapshot. */
  | "backwards"
  /** The server failed twice in a row, or the namespace had gone. */
  | "errors"
  /** The watch never confirmed a write of ours. */
  | "unconfirmed";

/** What the reflector tells whoever counts. Called in the event's own tick: quick, and must not throw. */
export interface WatchObserver {
  /** A list came in and is in the store. */
  relisted(reason: RelistReason): void;
  /** A list or watch failed; `code` is the FERRY code, "unknown" for an error without one. */
  failed(code: string): void;
  /** `keep` or `onChange` threw, or an object had no name, uid or version: this one object was passed over. */
  skipped(): void;
}

export interface ReflectorOptions<T> extends Scope {
  readonly api: KubeApi;
  readonly resource: Resource;
  /** Ask for PartialObjectMetadata. */
  readonly metadataOnly?: boolean | undefined;
  /**
   * What is remembered of an object: only the fields that somebody reads, as memory is what this returns. undefined: nothing.
   * When it throws, that object is passed over and what the store has of it stays.
   */
  readonly keep: (object: KubeObject) => T | undefined;
  /** Called in the tick of the event, after the store has it; one line, `queue.add(key)`. What it throws is logged and dropped. */
  readonly onChange: (change: Change<T>) => void;
  /** A list is in the store and its changes are reported; `relists` counts them, the first is 1. */
  readonly onRelisted?: ((relists: number) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer?: WatchObserver | undefined;
  /** Objects per page. Default 500. Source: client-go tools/pager/pager.go. */
  readonly pageSize?: number | undefined;
  /** A list is made at least this often, ± 10 %. Default 15 min: the net below everything that a watch may lose. */
  readonly relistEveryMs?: number | undefined;
  /** A watch without a byte for this long is broken. Default 90 s: bookmarks come about every minute. */
  readonly stallMs?: number | undefined;
}

/**
 * "listing": a list is on its way. "synced": listed, no watch is open at this moment. "watching": as it should be. "broken": the
 * last attempt failed, the next one follows after a pause; what the store has may be old.
 */
export type ReflectorState = "listing" | "synced" | "watching" | "broken";
