import { describe, expect, it } from "vitest";
import type { StatusReport } from "../../../../../src/ports/status.js";
import { ferryView } from "../../../../../src/telemetry/page/ferry-view.js";
import { parseQuery } from "../../../../../src/telemetry/page/page-query.js";

import type { TableView } from "../../../../../src/telemetry/page/page-view.js";
import {
  destinationStatus,
  serviceStatus,
  statusOfLeader,
} from "../../../../fixtures/status-reports.js";

const ALL = parseQuery({});
const CONFLICT = {
  state: "conflict",
  reason: "name-occupied",
  message: "prod/cart is somebody else's",
} as const;

function services(count: number): ReturnType<typeof serviceStatus>[] {
  return Array.from({ length: count }, (_, index) => serviceStatus(`web-${index}`));
}

function servicesOf(report: StatusReport, search: object = {}): TableView {
  return ferryView(report, [], parseQuery(search)).tables["services"] ?? { rows: [] };
}

describe("the headline", () => {
  it("says that all is well when it is", () => {
    const { headline, tone } = ferryView(statusOfLeader({ services: services(415) }), [], ALL);

    expect([headline, tone]).toEqual(["415 Services in sync.", "good"]);
  });

  it("counts what is not in sync", () => {
    const report = statusOfLeader({ services: [...services(2), serviceStatus("cart", CONFLICT)] });

    const { headline, tone } = ferryView(report, [], ALL);

    expect([headline, tone]).toEqual(["1 of 3 Services is not in sync.", "bad"]);
  });

  it("names clusters that are out of reach before anything else", () => {
    const destinations = [destinationStatus({ connected: false })];

    const { headline, tone } = ferryView(statusOfLeader({ destinations }), [], ALL);

    expect([headline, tone]).toEqual(["Out of reach: eks-b.", "bad"]);
  });

  it("of a follower says who leads, and promises nothing", () => {
    const follower = { role: "follower", podName: "ferry-2", observed: false } as const;

    const view = ferryView(statusOfLeader({ ...follower, services: [] }), [], ALL);

    expect(view.headline).toBe("ferry-1 leads: this replica cannot say how Services stand.");
    expect(view.about).toContain("ferry-2 follows ferry-1");
  });
});

describe("the services", () => {
  it("begin with what fails, then what somebody should look at", () => {
    const remark = serviceStatus("lb", { reason: "type-reduced", message: "became ClusterIP" });
    const report = statusOfLeader({
      services: [serviceStatus("web"), remark, serviceStatus("cart", CONFLICT)],
    });

    const rows = servicesOf(report).rows;

    expect(rows.map(({ tone, cells }) => [tone, ...cells.slice(0, 2)])).toEqual([
      ["bad", "▲ conflict", "shop/cart"],
      ["none", "▲ synced", "shop/lb"],
      ["good", "● synced", "shop/web"],
    ]);
    expect(rows[0]?.cells.at(-1)).toBe("name-occupied: prod/cart is somebody else's");
  });

  it("are a hundred at most, however many there are", () => {
    const report = statusOfLeader({ services: services(10_000) });

    const { tables, pager } = ferryView(report, [], parseQuery({ page: "3" }));

    expect(tables["services"]?.rows).toHaveLength(100);
    expect(tables["services"]?.count).toBe("201–300 of 10000");
    expect(pager).toEqual({ position: "page 3 of 100", previous: "/?page=2", next: "/?page=4" });
  });

  it("are found by name, target, destination, reason and state", () => {
    const report = statusOfLeader({ services: [...services(3), serviceStatus("cart", CONFLICT)] });
    const names = (search: object): readonly (string | undefined)[] =>
      servicesOf(report, search).rows.map(({ cells }) => cells[1]);

    expect(names({ q: "OCCUPIED" })).toEqual(["shop/cart"]);
    expect(names({ state: "conflict" })).toEqual(["shop/cart"]);
    expect(names({ q: "prod/web-1" })).toEqual(["shop/web-1"]);
    expect(names({ q: "nothing of that name" })).toEqual([]);
  });

  it("of a page behind the last one are those of the last one", () => {
    const report = statusOfLeader({ services: services(150) });

    expect(servicesOf(report, { page: "99" }).count).toBe("101–150 of 150");
  });
});

describe("the clusters", () => {
  it("say what keeps anything from being written", () => {
    const destinations = [
      destinationStatus({ brake: true, heartbeat: "held-elsewhere", heartbeatHolder: "clone" }),
    ];

    const { tables } = ferryView(statusOfLeader({ destinations }), [], ALL);

    expect(tables["clusters"]?.rows.map(({ tone, cells }) => [tone, cells[0], cells[2]])).toEqual([
      ["good", "eks-a", "● connected"],
      ["bad", "eks-b", "▲ deletions blocked, link held by clone"],
    ]);
  });

  it("change with every ten seconds of silence, not with every byte", () => {
    const at = (lastContact: string): unknown =>
      ferryView(statusOfLeader({ destinations: [destinationStatus({ lastContact })] }), [], ALL)
        .tables["clusters"];

    expect(at("2026-01-15T10:30:41.000Z")).toEqual(at("2026-01-15T10:30:49.000Z"));
    expect(at("2026-01-15T10:30:41.000Z")).not.toEqual(at("2026-01-15T10:30:51.000Z"));
  });
});

describe("the address", () => {
  it.each([
    [{ page: "-1" }, 1],
    [{ page: "1.5" }, 1],
    [{ page: "x" }, 1],
    [{ page: ["2", "3"] }, 1],
    [{ page: "2" }, 2],
  ])("%j asks for page %d", (search, page) => {
    expect(parseQuery(search).page).toBe(page);
  });

  it("asks for nothing by a state that there is not, or by what is no text", () => {
    expect(parseQuery({ state: "<script>", q: ["a"] })).toEqual({ text: "", state: "", page: 1 });
  });
});
