/**
 * What the page shows, as texts in tables: made once for the first HTML and again for each update, so that both say the same
 * and an update is what differs. Pure. Names are strangers' text and pass as such: whoever renders escapes.
 */
import type { ServiceStatus, StatusReport } from "../../ports/status.js";
import { clusterRows } from "./cluster-rows.js";
import type { PageQuery } from "./page-query.js";
import { moment, NOTHING, type PageRow, type Tone } from "./page-row.js";

/** Everything that changes while somebody looks. */
export interface PageView {
  readonly headline: string;
  readonly tone: Tone;
  /** Who answers, who leads. */
  readonly about: string;
  readonly clusters: readonly PageRow[];
  /** `1–100 of 415`. */
  readonly found: string;
  readonly services: readonly PageRow[];
  /** Latest first. */
  readonly audit: readonly PageRow[];
}

/**
 * Services of one page. 7,000 rows froze browsers elsewhere (prometheus/prometheus#6881): filter and pages are made here,
 * before anything is rendered.
 */
const ROWS_PER_PAGE = 100;

export function pageView(
  report: StatusReport,
  audit: readonly string[],
  query: PageQuery,
): PageView {
  const matching = report.services.filter((service) => isFound(service, query));
  const sorted = matching.toSorted((a, b) => rank(a) - rank(b));
  const first = (pageOf(query, sorted.length) - 1) * ROWS_PER_PAGE;
  const shown = sorted.slice(first, first + ROWS_PER_PAGE);
  return {
    ...headline(report),
    about: about(report),
    clusters: clusterRows(report),
    found: found(first, shown.length, sorted.length),
    services: shown.map(serviceRow),
    audit: audit.toReversed().map((line) => ({ tone: "none", cells: [line] })),
  };
}

/** How many pages there are; one when there is nothing. */
export function pageCount(report: StatusReport, query: PageQuery): number {
  const matching = report.services.filter((service) => isFound(service, query)).length;
  return Math.max(1, Math.ceil(matching / ROWS_PER_PAGE));
}

function pageOf({ page }: PageQuery, rows: number): number {
  return Math.min(page, Math.max(1, Math.ceil(rows / ROWS_PER_PAGE)));
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
  return [`${podName} ${leads}`, `link ${link ?? "not known yet"}`, `version ${version}`].join(
    " · ",
  );
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
