/** Standard output for the log: written off the hot path, complete at the end. */
import { pino, type DestinationStream } from "pino";
import type { Clock } from "../ports/clock.js";

export interface LogSink extends DestinationStream {
  /** Resolves when all lines are written. Await it before the process exits: what is still buffered is lost otherwise. */
  flush(): Promise<void>;
  /** Writes what is buffered within this tick; for an exit that cannot wait. A write under way may still be cut off. */
  flushNow(): void;
}

/** 16 MiB of lines wait for a reader that is stuck, then lines are dropped: a log must not take the process's memory. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/**
 * The first line goes out at once, what follows so soon is gathered: each write costs a thread's wake-up and this one's, which
 * is more than all the rest of a line.
 */
const GATHER_MS = 10;
const MAX_GATHERED_CHARS = 65_536;

/** @param fd file descriptor, 1 for standard output */
export function logSink(clock: Clock, fd: number = 1): LogSink {
  // minLength 1: sonic-boom's flush answers at once when it is 0, also with a write under way.
  const stream = pino.destination({ fd, sync: false, minLength: 1, maxLength: MAX_BUFFERED_BYTES });
  let isBroken = false;
  // Nobody reads any more (EPIPE). To mirror is worth more than to be heard, and the log is no place to say so.
  stream.on("error", () => {
    isBroken = true;
  });
  let gathered = "";
  let gathering: AbortController | undefined;
  const pour = (): void => {
    if (gathered !== "" && !isBroken) stream.write(gathered);
    gathered = "";
  };
  const gather = async (): Promise<void> => {
    gathering = new AbortController();
    await clock.sleep(GATHER_MS, gathering.signal);
    gathering = undefined;
    pour();
  };
  return {
    write: (line) => {
      gathered += line;
      if (gathering !== undefined && gathered.length < MAX_GATHERED_CHARS) return;
      pour();
      if (gathering === undefined) void gather();
    },
    flush: async () => {
      gathering?.abort();
      pour();
      if (isBroken) return;
      await new Promise<void>((resolve) => {
        stream.once("error", () => resolve());
        stream.flush(() => resolve());
      });
    },
    flushNow: () => {
      try {
        pour();
        if (!isBroken) stream.flushSync();
      } catch {
        // The process ends in this tick; there is nobody left to tell.
      }
    },
  };
}
