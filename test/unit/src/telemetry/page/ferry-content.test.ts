import { describe, expect, it } from "vitest";
import { ferryView } from "../../../../../src/telemetry/page/ferry-view.js";
import { parseQuery } from "../../../../../src/telemetry/page/page-query.js";
import { readView } from "../../../../../src/telemetry/page/read-view.js";
import { ferryContent } from "../../../../fixtures/ferry-content.js";
import { serviceStatus, statusOfLeader } from "../../../../fixtures/status-reports.js";

const follower = () =>
  statusOfLeader({ role: "follower", podName: "ferry-2", observed: false, services: [] });
const LEADERS = statusOfLeader({ services: [serviceStatus("cart", { state: "retrying" })] });
/** As it comes over the network. */
const sent = (search = ""): unknown =>
  JSON.parse(JSON.stringify(ferryView(LEADERS, ["line"], parseQuery({ q: search }))));
const TABLES = ferryContent(follower).layout({}).tables;

describe("the page of a follower", () => {
  it("shows what the leader shows, and says through whom", async () => {
    const content = ferryContent(follower, undefined, async () => sent());

    const view = await content.view({});

    expect(view).toMatchObject({
      headline: "1 of 1 Service is not in sync.",
      tone: "bad",
      about:
        "ferry-1 leads · link k8s-sync.leader.12345678 · version 1.2.3 · shown by ferry-2, which follows",
      tables: { services: { count: "1" } },
    });
    expect(view.tables["services"]?.rows[0]?.cells).toContain("shop/cart");
  });

  it("asks the leader for what somebody looks for", async () => {
    const asked: string[] = [];
    const content = ferryContent(follower, undefined, async (search) => void asked.push(search));

    await content.view({ q: "shop", state: "conflict", page: "2", other: "x" });

    expect(asked).toEqual(["?q=shop&state=conflict&page=2"]);
  });

  it.each<[string, unknown]>([
    ["no answer", undefined],
    ["an answer that is no page", { headline: 7 }],
  ])("after %s says what it knows itself, and the way to the leader", async (_, answer) => {
    const view = await ferryContent(follower, undefined, async () => answer).view({});

    expect(view.headline).toBe("ferry-1 leads: this replica cannot say how Services stand.");
    expect(view.about).toContain("ask it: kubectl port-forward pod/ferry-1 8080");
    expect(view.tables["clusters"]?.rows).toHaveLength(2);
    expect(view.tables["services"]).toEqual({ rows: [], count: "not known here" });
  });

  it("is not that of a leader, who asks nobody", async () => {
    const ask = (): Promise<unknown> => Promise.reject(new Error("a leader asks itself"));

    expect((await ferryContent(() => LEADERS, undefined, ask).view({})).headline).toBe(
      "1 of 1 Service is not in sync.",
    );
  });
});

describe("a view of another replica", () => {
  it("is read as it was sent", () => {
    expect(readView(sent(), TABLES)).toEqual(ferryView(LEADERS, ["line"], parseQuery({})));
  });

  const view = ferryView(LEADERS, [], parseQuery({}));
  const withRows = (rows: unknown): unknown => ({
    ...view,
    tables: { ...view.tables, services: { rows } },
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text", "view"],
    ["another tone", { ...view, tone: 'red" onclick="' }],
    ["no table that is to be shown", { ...view, tables: { clusters: { rows: [] } } }],
    ["a row of another release, with fewer cells", withRows([{ tone: "good", cells: ["web"] }])],
    ["cells that are no text", withRows([{ tone: "good", cells: [1, 2, 3, 4, 5, 6, 7] }])],
    [
      "more rows than a page has",
      withRows(Array(201).fill({ tone: "none", cells: Array(7).fill("") })),
    ],
  ])("is not believed with %s", (_, value) => {
    expect(readView(value, TABLES)).toBeUndefined();
  });

  it.each(["javascript:alert(1)", "//evil.example/", "https://evil.example/", "/other"])(
    "has no link to %s",
    (next) => {
      const pager = { position: "page 1 of 2", previous: "", next };

      expect(readView({ ...view, pager }, TABLES)?.pager).toBeUndefined();
    },
  );
});
