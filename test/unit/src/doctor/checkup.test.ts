import { describe, expect, it } from "vitest";
import { fail, ok, skip, type Check, type Outcome } from "../../../../src/doctor/check.js";
import { checkup, selected, unknownNames } from "../../../../src/doctor/checkup.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const NO = fail("broken", { text: "mend it" });
const { signal } = new AbortController();

function check(
  id: string,
  run: () => Outcome | Promise<Outcome>,
  more: Partial<Check> = {},
): Check {
  return {
    id,
    section: "source",
    subject: "a",
    pre: true,
    needs: [],
    run: async () => run(),
    ...more,
  };
}

async function results(...checks: readonly Check[]): Promise<readonly string[]> {
  const reports = await checkup(checks, { waitMs: 0, clock: new VirtualClock() }, signal);
  return reports.map(({ id, result, waitsFor = "" }) => `${id} ${result} ${waitsFor}`.trim());
}

describe("checkup", () => {
  it("skips what waits for a failure, and names the one at the root, once", async () => {
    const ran: string[] = [];
    const noted = (id: string, outcome: Outcome) => (): Outcome => {
      ran.push(id);
      return outcome;
    };

    const all = await results(
      check("third", noted("third", ok("")), { needs: ["second a"] }),
      check("second", noted("second", ok("")), { needs: ["first a"] }),
      check("first", noted("first", NO)),
      check("other", noted("other", ok(""))),
    );

    expect(all).toEqual(["third skip first", "second skip first", "first fail", "other ok"]);
    expect(ran).toEqual(["first", "other"]);
  });

  it("runs what waits for a warning, and not what waits for a check that could not be asked", async () => {
    expect(
      await results(
        check("warned", () => ({ result: "warn", message: "" })),
        check("skipped", () => skip("")),
        check("one", () => ok(""), { needs: ["warned a"] }),
        check("two", () => ok(""), { needs: ["skipped a"] }),
      ),
    ).toEqual(["warned warn", "skipped skip", "one ok", "two skip skipped"]);
  });

  it("does not wait for what is not asked for", async () => {
    expect(await results(check("one", () => ok(""), { needs: ["absent a"] }))).toEqual(["one ok"]);
  });

  it("skips what whoever asks may not read, and fails with the code of any other error", async () => {
    const throwing = (code: "FERRY-K006" | "FERRY-K001") => (): never => {
      throw new RetryableError(code, "no");
    };

    const reports = await checkup(
      [check("one", throwing("FERRY-K006")), check("two", throwing("FERRY-K001"))],
      { waitMs: 0, clock: new VirtualClock() },
      signal,
    );

    expect(reports).toMatchObject([
      { result: "skip", code: "FERRY-K006" },
      { result: "fail", code: "FERRY-K001", message: "no" },
    ]);
  });

  it("lets a defect of ours through", async () => {
    const defect = check("one", () => {
      throw new TypeError("defect");
    });

    await expect(results(defect)).rejects.toThrow("defect");
  });

  it("looks again at failures while there is time, and reports the last look only", async () => {
    const clock = new VirtualClock();
    let looks = 0;
    const mended = check("one", () => (++looks < 3 ? NO : ok("mended")));

    const running = checkup([mended], { waitMs: 10_000, clock }, signal);
    await clock.advance(10_000);

    expect((await running).map(({ result }) => result)).toEqual(["ok"]);
    expect(looks).toBe(3);
  });

  it("asks again only what failed and what waits for it", async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const noted = (id: string, outcome: (looks: number) => Outcome) => (): Outcome => {
      ran.push(id);
      return outcome(ran.filter((one) => one === id).length);
    };

    const running = checkup(
      [
        check(
          "right",
          noted("right", () => ok("")),
        ),
        check(
          "hidden",
          noted("hidden", () => skip("")),
        ),
        check(
          "late",
          noted("late", (looks) => (looks < 2 ? NO : ok(""))),
        ),
        check(
          "waiting",
          noted("waiting", () => ok("")),
          { needs: ["late a"] },
        ),
        check(
          "behind",
          noted("behind", () => ok("")),
          { needs: ["waiting a", "hidden a"] },
        ),
      ],
      { waitMs: 10_000, clock },
      signal,
    );
    await clock.advance(10_000);

    expect((await running).map(({ result }) => result)).toEqual(["ok", "skip", "ok", "ok", "skip"]);
    expect(ran).toEqual(["right", "hidden", "late", "late", "waiting"]);
  });

  it("does not wait for what says the same however often it is asked", async () => {
    const clock = new VirtualClock();
    const wrong = check("config", () => NO, { isConstant: true });

    const reports = await checkup([wrong], { waitMs: 10_000, clock }, signal);

    expect(reports.map(({ result }) => result)).toEqual(["fail"]);
  });

  it("gives up when the time is over", async () => {
    const clock = new VirtualClock();
    let looks = 0;
    const never = check("one", () => {
      looks += 1;
      return NO;
    });

    const running = checkup([never], { waitMs: 5_000, clock }, signal);
    await clock.advance(10_000);

    expect((await running).map(({ result }) => result)).toEqual(["fail"]);
    expect(looks).toBe(3);
  });
});

describe("the selection of checks", () => {
  const checks = [
    check("src-rbac:get:services", () => ok("")),
    check("src-rbac:create:leases", () => ok("")),
    check("lease", () => ok(""), { section: "leader", pre: false }),
    check("dst-ns", () => ok(""), { section: "destination b" }),
  ];
  const ids = (question: Partial<Parameters<typeof selected>[1]>): readonly string[] =>
    selected(checks, { only: [], skip: [], pre: false, ...question }).map(({ id }) => id);

  it.each([
    [{ only: ["src-rbac"] }, ["src-rbac:get:services", "src-rbac:create:leases"]],
    [{ only: ["src-rbac:create"] }, ["src-rbac:create:leases"]],
    [{ only: ["destination", "leader"] }, ["lease", "dst-ns"]],
    [{ skip: ["src-rbac", "destination b"] }, ["lease"]],
    [{ only: ["leader"], skip: ["lease"] }, []],
    [{ pre: true }, ["src-rbac:get:services", "src-rbac:create:leases", "dst-ns"]],
  ])("understands %j", (question, expected) => {
    expect(ids(question)).toEqual(expected);
  });

  it("knows what names nothing", () => {
    expect(unknownNames(checks, ["src-rbac", "leader", "sr", "lea"])).toEqual(["sr", "lea"]);
  });
});
