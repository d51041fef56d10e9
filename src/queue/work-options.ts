/** "live": somebody waits for it. "bulk": resync and sweep, done when nothing live is there. */
export type WorkPriority = "live" | "bulk";

export interface WorkOptions<Note> {
  readonly priority: WorkPriority;
  /** Travels with the key to whoever takes it; merged with the note that waits there already. */
  readonly note?: Note | undefined;
}
