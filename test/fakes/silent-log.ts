/** A log that nobody reads. */
import type { Log } from "../../src/ports/log.js";

export const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT_LOG,
};
