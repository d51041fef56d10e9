/** An API server that a rehearsal has a way to, and does not go: what would go through it stays owed as `via-api`. */
import type { ApiWriter } from "../api/api-writer.js";

const AWAY = {
  kind: "unavailable",
  isAway: true,
  detail: "nobody asks it in a rehearsal",
} as const;

export const REHEARSED_API: ApiWriter = {
  apply: async () => AWAY,
  remove: async () => AWAY,
  release: async () => AWAY,
};
