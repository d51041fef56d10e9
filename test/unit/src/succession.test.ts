import { describe, expect, it } from "vitest";
import { aborted } from "../../../src/ports/aborted.js";
import type { Term } from "../../../src/ports/term.js";
import { Succession } from "../../../src/succession.js";
import { settle } from "../../fakes/settle.js";

/** Tells what becomes of it. */
class NotedCore {
  readonly known = Promise.withResolvers<void>();
  /** Writes in flight at the end of a term. */
  readonly drained = Promise.withResolvers<void>();

  constructor(
    private readonly name: string,
    private readonly notes: string[],
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    this.notes.push(`${this.name} fills caches`);
    await aborted(signal);
    this.notes.push(`${this.name} forgets`);
  }

  async synced(): Promise<void> {}

  async knowsWhat(): Promise<void> {
    await this.known.promise;
  }

  async lead(term: Term): Promise<void> {
    this.notes.push(`${this.name} leads term ${term.number}`);
    await aborted(term.signal);
    await this.drained.promise;
    this.notes.push(`${this.name} led`);
  }
}

/** A first core that is in force, and all that happened since. */
function scene() {
  const notes: string[] = [];
  const core = (name: string): NotedCore => new NotedCore(name, notes);
  const succession = new Succession<NotedCore>(() => void notes.push("another is in force"));
  const old = core("old");
  succession.start(old);
  const ended = new AbortController();
  const term = { number: 1, signal: ended.signal, permit: () => true };
  const news = async (): Promise<readonly string[]> => {
    await settle();
    return notes.splice(0);
  };
  return { core, succession, old, term, ended, news };
}

describe("the succession of cores", () => {
  it("lets the old one work until the new one knows as much, and end what is in flight", async () => {
    const { core, succession, old, term, news } = scene();
    void succession.lead(term);
    await news();

    const next = core("new");
    const taken = succession.succeed(next);
    const filling = await news();
    next.known.resolve();
    const inForce = await news();
    old.drained.resolve();
    const leading = await news();

    expect(filling).toEqual(["new fills caches"]);
    expect(inForce).toEqual(["another is in force"]);
    expect(succession.core).toBe(next);
    expect(leading).toEqual(["old led", "new leads term 1", "old forgets"]);
    expect(await taken).toBe("in force");
  });

  it("happens to a follower as well, who leads with the new one later", async () => {
    const { core, succession, term, news } = scene();
    const next = core("new");
    next.known.resolve();

    await succession.succeed(next);
    await news();
    void succession.lead(term);

    expect(await news()).toEqual(["new leads term 1"]);
  });

  it("passes over a core that another one overtakes", async () => {
    const { core, succession, news } = scene();
    const [first, second] = [core("first"), core("second")];
    await news();

    const overtaken = succession.succeed(first);
    const taken = succession.succeed(second);
    second.known.resolve();
    first.known.resolve();

    expect([await overtaken, await taken]).toEqual(["overtaken", "in force"]);
    expect(succession.core).toBe(second);
    expect(await news()).toEqual([
      "first fills caches",
      "second fills caches",
      "first forgets",
      "another is in force",
      "old forgets",
    ]);
  });

  it("ends with the term: nobody leads after it", async () => {
    const { core, succession, old, term, ended, news } = scene();
    const led = succession.lead(term);
    const next = core("new");
    void succession.succeed(next);
    await news();

    ended.abort();
    old.drained.resolve();
    await led;
    next.known.resolve();

    expect(await news()).toEqual(["old led", "another is in force", "old forgets"]);
  });

  it("is over when the process ends, also while a core waits for a cluster that is away", async () => {
    const { core, succession, old, news } = scene();
    const waiting = succession.succeed(core("new"));
    await news();

    await succession.close();

    expect(await waiting).toBe("overtaken");
    expect(succession.core).toBe(old);
    expect(await news()).toEqual(["old forgets", "new forgets"]);
  });
});
