/**
 * A file whose content is in force: read at start, looked at every few seconds, taken when it is valid. A bad new content
 * leaves the old one in force, and says so until the file is right again.
 *
 * Looked at, not watched: what a pod mounts from a ConfigMap or a Secret changes by a symbolic link that is exchanged, which
 * inotify does not tell of reliably, and network file systems tell nothing at all.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { RejectedFile } from "../../src/ports/mirror-report.js";
import { rfc3339 } from "../../src/ports/timestamps.js";

/** What a content comes to. */
export type Reading<T> =
  | { readonly kind: "ok"; readonly value: T; readonly warnings: readonly string[] }
  /** One line for each thing that is wrong. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

export interface WatchedFileParts<T> {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** @throws when it cannot be read; an error with the code ENOENT means that it is not there */
  readonly readFile: (path: string) => Promise<string>;
  /** @param text undefined: the file is not there */
  readonly parse: (text: string | undefined) => Promise<Reading<T>>;
}

/** Between two looks. The kubelet itself takes a minute to bring a changed ConfigMap. */
const LOOK_MS = 2_000;

export class WatchedFile<T> {
  /** What was parsed last, valid or not; undefined: it could not even be read. */
  #seen: { readonly text: string | undefined } | undefined;
  #rejected: RejectedFile | undefined;

  constructor(private readonly parts: WatchedFileParts<T>) {}

  /** The newest content is not in force, because of this. */
  get rejected(): RejectedFile | undefined {
    return this.#rejected;
  }

  /** The first reading. What is wrong then is the caller's to tell: there is nothing older to go on with. */
  async load(): Promise<Reading<T>> {
    return this.#look((text) => this.parts.parse(text));
  }

  /**
   * Until `signal` aborts: each valid new content is handed over, one after the other.
   * @param onChange what it throws ends this: a defect
   */
  async follow(onChange: (value: T) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock, log, path, parse } = this.parts;
    for (;;) {
      await clock.sleep(LOOK_MS, signal);
      if (signal.aborted) return;
      const before = this.#seen;
      const reading = await this.#look(async (text) =>
        before !== undefined && before.text === text ? undefined : parse(text),
      );
      if (reading?.kind === "invalid") this.#reject(reading.problems);
      if (reading?.kind !== "ok") continue;
      this.#rejected = undefined;
      log.info({ path }, "changed file taken");
      for (const text of reading.warnings) log.warn({ path, text }, "file warning");
      await onChange(reading.value);
    }
  }

  async #look<R>(
    then: (text: string | undefined) => Promise<R>,
  ): Promise<R | Extract<Reading<T>, { readonly kind: "invalid" }>> {
    let text: string | undefined;
    try {
      text = await this.#read();
    } catch (error) {
      this.#seen = undefined;
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "invalid", problems: [`cannot be read: ${why}`] };
    }
    const result = await then(text);
    this.#seen = { text };
    return result;
  }

  async #read(): Promise<string | undefined> {
    try {
      return await this.parts.readFile(this.parts.path);
    } catch (error) {
      const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Told once for as long as it lasts. */
  #reject(problems: readonly string[]): void {
    if (this.#rejected?.problems.join("\n") === problems.join("\n")) return;
    const { path, clock, log } = this.parts;
    this.#rejected = { path, problems, since: rfc3339(clock.now()) };
    log.error({ path, problems }, "changed file not taken, what was there before stays in force");
  }
}
