/** For parts of the core that only look: nobody reads their log, their numbers or their Events. */
import type { EventSink } from "../ports/event-sink.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { WatchObserver } from "../watch/reflector-options.js";

const nothing = (): void => {};

export const NO_LOG: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => NO_LOG,
};

export const NO_METRICS: Metrics = {
  count: nothing,
  set: nothing,
  observe: nothing,
  beforeScrape: nothing,
};

export const NO_EVENTS: EventSink = { emit: nothing };

export const NO_OBSERVER: WatchObserver = { relisted: nothing, failed: nothing, skipped: nothing };
