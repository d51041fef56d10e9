/** What a command may touch of the process: its two streams, its environment, its files. */
import type { Environment } from "../config/given.js";

export interface Terminal {
  /** Results, and nothing else. */
  readonly stdout: (text: string) => void;
  /** Errors, warnings and notes. */
  readonly stderr: (text: string) => void;
  readonly env: Environment;
  /** Standard output is a terminal, where colours can be seen; default: it is not. */
  readonly isColourful?: boolean;
  /** @throws when the file cannot be read */
  readonly readFile: (path: string) => string;
}

/** The same for every command. `status` gives 1 its own meaning: not everything is synced. */
export const EXIT_OK = 0;
/** Wrong flags or settings, or the question could not be asked. */
export const EXIT_CANNOT = 2;
