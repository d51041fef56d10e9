import { describe, expect, it } from "vitest";
import { syncCheck } from "../../../../src/doctor/sync-checks.js";
import type { Outcome } from "../../../../src/doctor/check.js";
import type { ExplainReport, Finding } from "../../../../src/ports/explain-report.js";
import { Inspected } from "../../../fixtures/inspected.js";

const SYNCED: Finding = { service: "shop/web", verdict: "synced", steps: [], remarks: [], due: [] };
const lost = (name: string, code: string): Finding => ({
  ...SYNCED,
  service: `shop/${name}`,
  verdict: "not-synced",
  reason: { code, message: "" },
});

function outcome(...findings: readonly Finding[]): Promise<Outcome> {
  const [source, destination] = [new Inspected("a"), new Inspected("b")];
  const explain = async (): Promise<ExplainReport> => ({
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "ExplainReport",
    time: "",
    version: "",
    source: "a",
    findings,
  });
  const check = syncCheck(source.subject(), destination.subject("destination"), explain);
  return check.run(new AbortController().signal);
}

describe("sync", () => {
  it("is right when all are synced", async () => {
    expect(await outcome(SYNCED, SYNCED)).toEqual({ result: "ok", message: "2 of 2 synced" });
  });

  it("warns of what users can mend", async () => {
    expect(await outcome(SYNCED, lost("taken", "name-taken"))).toMatchObject({
      result: "warn",
      code: "name-taken",
      message: "1 of 2 synced; not: shop/taken (name-taken)",
      remedy: { command: "svc-ferry explain shop/taken" },
    });
  });

  it("fails for what is wrong with the installation, and explains that first", async () => {
    const found = await outcome(
      ...["a", "b", "c"].map((name) => lost(name, "name-taken")),
      lost("d", "FERRY-K006"),
    );

    expect(found).toMatchObject({
      result: "fail",
      code: "FERRY-K006",
      remedy: { command: "svc-ferry explain shop/d" },
    });
    expect(found.message).toMatch(/ and 1 more$/);
  });
});
