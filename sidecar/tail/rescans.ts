/** Looks again at a part of the source whose objects are judged otherwise now: a Namespace's labels changed, a CRD came. */
import { Bell } from "../link/bell.js";
import { RangeWalk } from "../pass/range-walk.js";
import type { LowWaterMark, Ticket } from "../writer/low-water-mark.js";
import type { WriterParts } from "../writer/parts.js";
import type { Writer } from "../writer/writer.js";

interface Rescan {
  /** For the brake and the log: "namespace" or "crd". */
  readonly cause: string;
  readonly prefixes: () => readonly string[];
  /** The low-water mark waits for what wants this. */
  readonly tickets: Ticket[];
}

/**
 * One at a time. What is asked for again while it waits is done once; while it runs, once more afterwards. NB: a re-scan uses the
 * places of passes, so the tail goes on beside it; the order of revisions per key settles every race.
 */
export class Rescans {
  readonly #waiting = new Map<string, Rescan>();
  readonly #wanted = new Bell();

  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly mark: LowWaterMark,
  ) {}

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @param revision of the event that asks for it */
  namespace(name: string, revision: bigint): void {
    this.#want(`namespace ${name}`, revision, "namespace", () => {
      const { catalog, rules } = this.parts.view;
      const resources = catalog.resources.filter((one) => one.namespaced && rules.wants(one));
      return [...new Set(resources.map(({ path }) => `${path}/${name}/`))];
    });
  }

  prefix(prefix: string, revision: bigint): void {
    this.#want(`prefix ${prefix}`, revision, "crd", () => [prefix]);
  }

  /** Runs until `signal` aborts. @throws what ended the term */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      const [name, rescan] = [...this.#waiting.entries()][0] ?? [];
      if (name === undefined || rescan === undefined) await this.#wanted.wait(signal);
      else await this.#run(name, rescan, signal);
    }
  }

  #want(name: string, revision: bigint, cause: string, prefixes: () => readonly string[]): void {
    const ticket = this.mark.begin(revision, this.parts.clock.monotonicMs());
    const waiting = this.#waiting.get(name) ?? { cause, prefixes, tickets: [] };
    waiting.tickets.push(ticket);
    this.#waiting.set(name, waiting);
    this.#wanted.call();
  }

  async #run(
    name: string,
    { cause, prefixes, tickets }: Rescan,
    signal: AbortSignal,
  ): Promise<void> {
    this.#waiting.delete(name);
    const walk = new RangeWalk(this.parts, this.writer, {
      cause: "rescan",
      comparesDestination: false,
      signal,
    });
    for (const prefix of prefixes()) await walk.walk(prefix);
    await walk.landed();
    await walk.leavers.remove(cause, signal);
    for (const ticket of tickets) this.mark.done(ticket);
  }
}
