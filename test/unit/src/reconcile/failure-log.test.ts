import { afterEach, describe, expect, it } from "vitest";
import type { ServiceKey } from "../../../../src/domain/service-key.js";
import type { Log, LogFields } from "../../../../src/ports/log.js";
import { FailureLog } from "../../../../src/reconcile/failure-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const DOWN = "FERRY-K001";
const SLOW = "FERRY-K003";

const stop = new Set<() => Promise<void>>();

afterEach(async () => {
  await Promise.all([...stop].map(async (end) => end()));
});

/** A log that runs; lines read "warn FERRY-K001 a" and "warn FERRY-K001: 3 more". */
function failureBed() {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const line = (level: string) => (fields: LogFields, message: string) => {
    const { code, name, names } = fields;
    const isCount = message === "more names failed for the same cause";
    lines.push(
      `${level} ${String(code)}${isCount ? `: ${String(names)} more` : ` ${String(name)}`}`,
    );
  };
  const log: Log = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    child: () => log,
  };
  const failures = new FailureLog(log, clock);
  const ended = new AbortController();
  const run = failures.run(ended.signal);
  const end = async (): Promise<void> => {
    stop.delete(end);
    ended.abort();
    await run;
  };
  stop.add(end);
  const fail = (name: string, code = DOWN, level: "warn" | "error" = "warn"): void =>
    failures.failed(keyOf(name), code, level, { name });
  const news = (): readonly string[] => lines.splice(0);
  return { clock, failures, fail, news, end };
}

const keyOf = (name: string): ServiceKey => `prod/${name}`;
const SEVEN = ["a", "b", "c", "d", "e", "f", "g"];
const FIVE_LINES = ["a", "b", "c", "d", "e"].map((name) => `warn ${DOWN} ${name}`);

describe("FailureLog", () => {
  it("says once that a name goes on failing for the same cause, however long", async () => {
    const { clock, fail, news } = failureBed();

    fail("a");
    fail("a");
    await clock.advance(600_000);
    fail("a");

    expect(news()).toEqual([`warn ${DOWN} a`]);
  });

  it("says it again for another cause, and after the name had worked", () => {
    const { failures, fail, news } = failureBed();

    fail("a");
    fail("a", SLOW, "error");
    failures.cleared("prod/a");
    fail("a", SLOW, "error");

    expect(news()).toEqual([`warn ${DOWN} a`, `error ${SLOW} a`, `error ${SLOW} a`]);
  });

  it("has a line for five names of one cause, whatever other causes there are", () => {
    const { fail, news } = failureBed();

    SEVEN.forEach((name) => fail(name));
    fail("x", SLOW);

    expect(news()).toEqual([...FIVE_LINES, `warn ${SLOW} x`]);
  });

  it("tells at the end of the minute how many said nothing, though the cause strikes nobody any more", async () => {
    const { clock, failures, fail, news } = failureBed();
    SEVEN.forEach((name) => fail(name));
    SEVEN.forEach((name) => failures.cleared(keyOf(name)));
    news();

    await clock.advance(59_999);
    const early = news();
    await clock.advance(1);

    expect([early, news()]).toEqual([[], [`warn ${DOWN}: 2 more`]]);
  });

  it("tells it for each cause, and once", async () => {
    const { clock, fail, news } = failureBed();
    SEVEN.forEach((name) => fail(name));
    SEVEN.forEach((name) => fail(`other-${name}`, SLOW));
    news();

    await clock.advance(600_000);

    expect(news()).toEqual([`warn ${DOWN}: 2 more`, `warn ${SLOW}: 2 more`]);
  });

  it("has lines again for other names after the minute", async () => {
    const { clock, fail, news } = failureBed();
    SEVEN.forEach((name) => fail(name));
    await clock.advance(60_000);
    news();

    SEVEN.forEach((name) => fail(name));
    fail("h");

    expect(news()).toEqual([`warn ${DOWN} h`]);
  });

  it("tells the rest when it ends, and leaves no timer behind", async () => {
    const { clock, fail, news, end } = failureBed();
    SEVEN.forEach((name) => fail(name));
    news();

    await end();

    expect(news()).toEqual([`warn ${DOWN}: 2 more`]);
    expect(clock.pending).toBe(0);
  });

  it("knows whether somebody has read that a name failed", () => {
    const { failures, fail } = failureBed();
    SEVEN.forEach((name) => fail(name));

    const read = [...SEVEN, "h"].filter((name) => failures.cleared(keyOf(name)));
    const again = failures.cleared("prod/a");

    expect(read).toEqual(["a", "b", "c", "d", "e"]);
    expect(again).toBe(false);
  });

  it("knows nothing any more when it is cleared", async () => {
    const { clock, failures, fail, news } = failureBed();
    SEVEN.forEach((name) => fail(name));
    news();

    failures.clear();
    fail("a");
    await clock.advance(60_000);

    expect(news()).toEqual([`warn ${DOWN} a`]);
  });
});
