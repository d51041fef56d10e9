/** What the fake API server did for whom: the currency of most tests. */
import type { KubeObject, ObjectRef, Resource } from "../../src/ports/kube-api.js";
import { collectionOf } from "./stored-object.js";

export type WriteVerb = "create" | "patch" | "replace" | "delete";

export interface AuditEntry {
  /** Monotonic ms of the world. */
  readonly atMs: number;
  readonly client: string;
  readonly verb: WriteVerb;
  readonly resource: Resource;
  readonly ref: ObjectRef;
  /** "done", or the reason of the Status that was answered, e.g. "Conflict". */
  readonly outcome: string;
  /** Whether the store changed: false for refused writes and for those that wrote what was there. */
  readonly stateChanging: boolean;
  /** As stored after it; for a delete as it was before. undefined when refused. */
  readonly object: KubeObject | undefined;
}

/** Write requests that reached the server, in order. */
export class AuditLog {
  readonly #entries: AuditEntry[] = [];

  add(entry: AuditEntry): void {
    this.#entries.push(entry);
  }

  get entries(): readonly AuditEntry[] {
    return this.#entries;
  }

  /** Those that changed the store; optionally of one resource. */
  changes(resource?: Resource): readonly AuditEntry[] {
    return this.#entries.filter(
      (entry) =>
        entry.stateChanging &&
        (resource === undefined || collectionOf(entry.resource) === collectionOf(resource)),
    );
  }

  /** Short form for expectations, e.g. "create services shop/web: done". */
  get lines(): readonly string[] {
    return this.#entries.map(({ verb, resource, ref, outcome, stateChanging }) => {
      const name = ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
      const said = outcome === "done" && !stateChanging ? "unchanged" : outcome;
      return `${verb} ${resource.plural} ${name}: ${said}`;
    });
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
