import { describe, expect, it } from "vitest";
import { ferryView } from "../../../../../src/telemetry/page/ferry-view.js";
import { pageDiff } from "../../../../../src/telemetry/page/page-diff.js";
import { parseQuery } from "../../../../../src/telemetry/page/page-query.js";
import type { PageView } from "../../../../../src/telemetry/page/page-view.js";
import { serviceStatus, statusOfLeader } from "../../../../fixtures/status-reports.js";

function viewOf(names: readonly string[], audit: readonly string[] = []): PageView {
  const services = names.map((name) => serviceStatus(name));
  return ferryView(statusOfLeader({ services }), audit, parseQuery({}));
}

describe("what is new of a view", () => {
  it("is everything to who has seen nothing", () => {
    const patch = pageDiff(undefined, viewOf(["a", "b"]));

    expect(Object.keys(patch?.texts ?? {})).toEqual([
      "headline",
      "about",
      "services-count",
      "position",
    ]);
    expect(patch?.tone).toBe("good");
    expect(Object.keys(patch?.links ?? {})).toEqual(["previous", "next"]);
    expect(patch?.tables["services"]?.length).toBe(2);
  });

  it("is nothing when nothing has changed", () => {
    expect(pageDiff(viewOf(["a"], ["line"]), viewOf(["a"], ["line"]))).toBeUndefined();
  });

  it("is one row when one row has changed", () => {
    const before = viewOf(["a", "b", "c"]);

    const patch = pageDiff(before, viewOf(["a", "x", "c"]));

    expect(patch?.texts).toEqual({});
    expect(patch?.tables).toEqual({
      services: { length: 3, rows: { 1: viewOf(["x"]).tables["services"]?.rows[0] } },
    });
  });

  it("is a shorter table when the last rows are gone", () => {
    const patch = pageDiff(viewOf(["a", "b"]), viewOf(["a"]));

    expect(patch?.tables).toEqual({ services: { length: 1, rows: {} } });
  });
});
