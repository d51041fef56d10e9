/** Settings that `run` and `mirror run` have alike. */
import { withDefault } from "./setting.js";
import { oneOf } from "./value-types.js";

export const COMMON_SETTINGS = {
  page: withDefault(
    "page",
    oneOf("loopback", "all"),
    "loopback",
    "who may read /status and the page",
  ),
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
