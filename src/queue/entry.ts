import type { Due } from "./due-heap.js";
import type { Linked } from "./fifo.js";
import type { WorkOptions, WorkPriority } from "./work-options.js";

/** What was added to a key while it was in flight. */
interface Again<Note> extends WorkOptions<Note> {
  readonly addedAtMs: number;
  readonly dueMs: number;
}

/** All that the queue knows about one key; edited by the queue alone. */
export interface Entry<K, Note> extends Due, Linked<Entry<K, Note>> {
  readonly key: K;
  place: "ready" | "waiting" | "in-flight";
  priority: WorkPriority;
  note: Note | undefined;
  failures: number;
  readonly addedAtMs: number;
  readyAtMs: number;
  /** Monotonic ms; a server asked not to be called before. */
  notBeforeMs: number;
  again: Again<Note> | undefined;
}

/** An entry that is in no list yet. */
export function newEntry<K, Note>(
  key: K,
  addedAtMs: number,
  options: WorkOptions<Note>,
): Entry<K, Note> {
  return {
    key,
    place: "waiting",
    priority: options.priority,
    note: options.note,
    failures: 0,
    addedAtMs,
    readyAtMs: 0,
    dueMs: 0,
    notBeforeMs: 0,
    again: undefined,
    heapIndex: -1,
    before: undefined,
    after: undefined,
  };
}
