/** Reads a range of the source in pages of the newest state, the next one while the last is worked on. */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import {
  EtcdError,
  type EtcdErrorKind,
  prefixEnd,
  type Etcd,
  type EtcdHeader,
  type KeyValue,
} from "../etcd/etcd.js";
import { PageSize } from "./page-size.js";

export interface SourcePage {
  readonly header: EtcdHeader;
  readonly kvs: readonly KeyValue[];
  /** More follow. */
  readonly more: boolean;
}

export interface PagesOptions {
  readonly etcd: Etcd;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** All keys that begin with it. */
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after?: string | undefined;
}

/** What another attempt does not mend, or another term has to look into. */
const ENDS_TERM: ReadonlySet<EtcdErrorKind> = new Set([
  "invalid",
  "unsupported",
  "cluster-changed",
]);
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Unpinned: a pinned read fails when the source compacts, which it does every five minutes. Each page's header says at which
 * revision it is true.
 * @throws the signal's reason; EtcdError only for what waiting does not mend
 */
export async function* sourcePages(options: PagesOptions): AsyncGenerator<SourcePage, void> {
  const size = new PageSize();
  let from = options.after === undefined ? options.prefix : `${options.after}\0`;
  let page = await readPage(options, from, size);
  for (;;) {
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) {
      yield page;
      return;
    }
    from = `${last.key}\0`;
    const next = readPage(options, from, size);
    // Whoever leaves early leaves it behind: it must not end the process.
    next.catch(() => undefined);
    yield page;
    page = await next;
  }
}

async function readPage(options: PagesOptions, key: string, size: PageSize): Promise<SourcePage> {
  const { etcd, clock, log, signal, prefix } = options;
  const rangeEnd = prefixEnd(prefix);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const page = await etcd.range({ key, rangeEnd, limit: size.keys }, { signal });
      size.saw(page.kvs.length, bytesOf(page.kvs));
      return page;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EtcdError)) throw error;
      if (error.kind === "exhausted" && size.tooLarge()) continue;
      if (ENDS_TERM.has(error.kind)) throw error;
      log.warn({ code: error.kind, err: error }, "the source cannot be read, trying again");
    }
    await clock.sleep(pauseMs, signal);
  }
}

function bytesOf(kvs: readonly KeyValue[]): number {
  let bytes = 0;
  for (const { key, value } of kvs) bytes += key.length + value.length;
  return bytes;
}
