import type { Clock } from "../../ports/clock.js";
import { rfc3339 } from "../../ports/timestamps.js";
import { pageDiff } from "./page-diff.js";
import { moment } from "./page-row.js";
import type { PageView } from "./page-view.js";

/** The other end of a stream, as node's ServerResponse is one. */
export interface Viewer {
  /** It takes nothing at the moment. */
  readonly writableNeedDrain: boolean;
  write(text: string): unknown;
  destroy(): unknown;
  on(event: "close" | "error", listener: () => void): unknown;
}

/** What a viewer sees at this moment. Never rejects. */
export type Look = () => PageView | Promise<PageView>;

/** Between two looks: quick enough for who has just typed a label, slow enough for who reads. */
const LOOK_EVERY_MS = 250;
/** All looks together take a twenty-fifth of the time at most: who looks must not slow down what he looks at. */
const REST_PER_LOOK = 24;
/** A look may have waited for another replica, which is no work: nobody rests for longer. */
const MAX_REST_MS = 5_000;
/** Without news; shorter than the minute after which proxies close what is silent. */
const BEAT_EVERY_MS = 15_000;
/** A browser that takes nothing for so long is gone, or asleep: it comes back by itself. */
const MAX_STUCK_MS = 30_000;
/** More are no team that watches, but a mistake. */
const MAX_VIEWERS = 16;

/**
 * Those who follow the page: each gets what is new to it, as server-sent events. Nothing is computed while nobody looks, and
 * nothing piles up for who reads slowly: the next difference covers all that was missed.
 */
export class Viewers {
  #count = 0;

  constructor(private readonly clock: Clock) {}

  get isFull(): boolean {
    return this.#count >= MAX_VIEWERS;
  }

  /** Until the other side closes, or is closed. Never rejects. */
  async serve(viewer: Viewer, look: Look): Promise<void> {
    this.#count += 1;
    const closed = new AbortController();
    viewer.on("close", () => closed.abort());
    viewer.on("error", () => closed.abort());
    try {
      await this.#follow(viewer, look, closed.signal);
    } finally {
      this.#count -= 1;
      viewer.destroy();
    }
  }

  async #follow(viewer: Viewer, look: Look, signal: AbortSignal): Promise<void> {
    const { clock } = this;
    let seen: PageView | undefined;
    let saidMs = clock.monotonicMs();
    while (!signal.aborted) {
      const beganMs = clock.monotonicMs();
      const silentMs = beganMs - saidMs;
      if (viewer.writableNeedDrain) {
        if (silentMs >= MAX_STUCK_MS) return;
      } else {
        const view = await look();
        if (signal.aborted) return;
        const patch = pageDiff(seen, view);
        seen = view;
        if (patch !== undefined || silentMs >= BEAT_EVERY_MS) {
          const at = moment(rfc3339(clock.now()));
          viewer.write(patch === undefined ? event("beat", { at }) : event("view", { at, patch }));
          saidMs = beganMs;
        }
      }
      const tookMs = clock.monotonicMs() - beganMs;
      const restMs = Math.min(MAX_REST_MS, tookMs * REST_PER_LOOK * this.#count);
      await clock.sleep(Math.max(LOOK_EVERY_MS, restMs), signal);
    }
  }
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
