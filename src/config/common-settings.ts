/** Settings that `run` and `mirror run` have alike. */
import { withDefault, type Setting } from "./setting.js";
import { oneOf } from "./value-types.js";

/** @param what stands behind the admin port beside health and metrics */
export function pageSetting(what: string): Setting<"loopback" | "all"> {
  return withDefault("page", oneOf("loopback", "all"), "loopback", `who may read ${what}`);
}

export const LOG_SETTINGS = {
  logFormat: withDefault(
    "log-format",
    oneOf("human", "json"),
    "human",
    "one line for people or one JSON object per record",
  ),
  logLevel: withDefault(
    "log-level",
    oneOf("debug", "info", "warn", "error"),
    "info",
    "the least important records that are written",
  ),
} as const;
