/** What the page of the core shows: Services and how they stand. Pure. */
import type { ServiceStatus, StatusReport } from "../../ports/status.js";
import { clusterRows } from "./cluster-rows.js";
import { type PageQuery, searchOf, STATES } from "./page-query.js";
import { moment, NOTHING, type PageRow } from "./page-row.js";
import type { PageLayout, PagerView, PageView } from "./page-view.js";

export function ferryLayout({ text, state }: PageQuery): PageLayout {
  return {
    title: "svc-ferry",
    tables: [
      {
        id: "clusters",
        caption: "Clusters",
        columns: [
          { label: "Cluster", kind: "name" },
          { label: "Part" },
          { label: "State", kind: "state" },
          { label: "Last contact (UTC)", kind: "short" },
          { label: "Mirrors" },
          { label: "Waiting" },
          { label: "Lag" },
        ],
      },
      {
        id: "services",
        caption: "Services",
        search: { placeholder: "name, target or reason", text, states: STATES, state },
        columns: [
          { label: "State", kind: "state" },
          { label: "Service", kind: "name" },
          { label: "Destination and name", kind: "name" },
          { label: "Ready endpoints", kind: "short" },
          { label: "Since (UTC)", kind: "short" },
          { label: "Lag", kind: "short" },
          { label: "Reason and what to do", kind: "long" },
        ],
      },
      {
        id: "audit",
        caption: "Latest changes",
        columns: [{ label: "Line of the log", kind: "line" }],
      },
    ],
  };
}

/**
 * Services of one page. 7,000 rows froze browsers elsewhere (prometheus/prometheus#6881): filter and pages are made here,
 * before anything is rendered.
 */
const ROWS_PER_PAGE = 100;

/** @param audit oldest first */
export function ferryView(
  report: StatusReport,
  audit: readonly string[],
  query: PageQuery,
): PageView {
  const matching = report.services.filter((service) => isFound(service, query));
  const sorted = matching.toSorted((a, b) => rank(a) - rank(b));
  const pages = Math.max(1, Math.ceil(sorted.length / ROWS_PER_PAGE));
  const page = Math.min(query.page, pages);
  const first = (page - 1) * ROWS_PER_PAGE;
  const shown = sorted.slice(first, first + ROWS_PER_PAGE);
  return {
    ...headline(report),
    about: about(report),
    tables: {
      clusters: { rows: clusterRows(report) },
      services: {
        rows: shown.map(serviceRow),
        count: report.observed ? found(first, shown.length, sorted.length) : "not known here",
      },
      audit: { rows: audit.toReversed().map((line) => ({ tone: "none", cells: [line] })) },
    },
    pager: pager({ ...query, page }, pages),
  };
}

function pager(query: PageQuery, pages: number): PagerView {
  const { page } = query;
  const to = (other: number): string =>
    other < 1 || other > pages ? "" : `/${searchOf({ ...query, page: other })}`;
  return { position: `page ${page} of ${pages}`, previous: to(page - 1), next: to(page + 1) };
}

function isFound(service: ServiceStatus, { text, state }: PageQuery): boolean {
  if (state !== "" && service.state !== state) return false;
  if (text === "") return true;
  const wanted = text.toLowerCase();
  return [service.service, service.target, service.destination, service.reason ?? ""].some((part) =>
    part.toLowerCase().includes(wanted),
  );
}

/** Failures first; the report's own order among equals. */
function rank({ state, reason }: ServiceStatus): number {
  if (state !== "synced") return 0;
  return reason === undefined ? 2 : 1;
}

function headline(report: StatusReport): Pick<PageView, "headline" | "tone"> {
  const { services, destinations, source, observed, leader } = report;
  if (!observed) {
    const who = leader === undefined ? "Nobody leads yet" : `${leader} leads`;
    return { headline: `${who}: this replica cannot say how Services stand.`, tone: "none" };
  }
  const cutOff = [source, ...destinations].filter(({ connected }) => !connected);
  const troubled = services.filter(({ state }) => state !== "synced").length;
  if (cutOff.length > 0) {
    return { headline: `Out of reach: ${cutOff.map(({ name }) => name).join(", ")}.`, tone: "bad" };
  }
  if (troubled > 0) {
    const are = troubled === 1 ? "is" : "are";
    return {
      headline: `${troubled} of ${counted(services.length)} ${are} not in sync.`,
      tone: "bad",
    };
  }
  if (services.length === 0) return { headline: "No Service is selected yet.", tone: "none" };
  return { headline: `${counted(services.length)} in sync.`, tone: "good" };
}

function counted(services: number): string {
  return services === 1 ? "1 Service" : `${services} Services`;
}

function about({ podName, role, leader, version, link }: StatusReport): string {
  const leads = role === "leader" ? "leads" : `follows ${leader ?? "nobody"}`;
  const wayThere =
    leader === undefined || role === "leader"
      ? []
      : [`ask it: kubectl port-forward pod/${leader} 8080`];
  return [
    `${podName} ${leads}`,
    `link ${link ?? "not known yet"}`,
    `version ${version}`,
    ...wayThere,
  ].join(" · ");
}

function found(first: number, shown: number, all: number): string {
  if (all === 0) return "none";
  return shown === all ? String(all) : `${first + 1}–${first + shown} of ${all}`;
}

/** In the order of SERVICE_COLUMNS. */
function serviceRow(service: ServiceStatus): PageRow {
  const { state, reason, message, endpoints, lastChange, lagMs, destination, target } = service;
  const isFine = state === "synced" && reason === undefined;
  return {
    tone: isFine ? "good" : state === "synced" ? "none" : "bad",
    cells: [
      `${isFine ? "●" : "▲"} ${state}`,
      service.service,
      `${destination} ${target}`,
      endpoints === undefined ? NOTHING : `${endpoints.ready} of ${endpoints.total}`,
      moment(lastChange),
      lagMs === undefined ? NOTHING : `${Math.round(lagMs)} ms`,
      [reason, message].filter((part) => part !== undefined).join(": "),
    ],
  };
}
