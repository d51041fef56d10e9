/** A status report as text for people: one line for each destination, then what is not in order. Pure. */
import { leaseCauseCode } from "../ports/destination-lease.js";
import { printable } from "../ports/printable.js";
import { ageAt } from "./age.js";
import type { ReadDestination, ReadService, ReadStatus } from "./status-schema.js";
import { tableLines } from "./table.js";

export interface StatusView {
  /** Also what is in order. */
  readonly all: boolean;
  readonly wide: boolean;
}

/** States that need nobody's attention. A pause is somebody's will, but it is not synced: it is shown. */
function isInOrder({ state }: ReadService): boolean {
  return state === "synced";
}

/** Every Service is in order, and nothing keeps us from seeing and making it so. */
export function isAllInOrder({ source, destinations, services }: ReadStatus): boolean {
  return (
    source.connected &&
    destinations.every(({ connected, heartbeat }) => connected && heartbeat === "held") &&
    services.every(isInOrder)
  );
}

/** The services that a view shows. */
export function shownServices(report: ReadStatus, all: boolean): readonly ReadService[] {
  return all ? report.services : report.services.filter((service) => !isInOrder(service));
}

/** Ends with a line feed. */
export function statusText(report: ReadStatus, view: StatusView): string {
  const lines = report.destinations.flatMap((destination, index) => [
    ...(index > 0 ? [""] : []),
    ...destinationLines(report, destination, view),
  ]);
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function destinationLines(
  report: ReadStatus,
  destination: ReadDestination,
  view: StatusView,
): readonly string[] {
  const isHere = (service: ReadService): boolean => service.destination === destination.name;
  const services = report.services.filter(isHere);
  const shown = shownServices(report, view.all).filter(isHere);
  const head = [
    `${printable(report.source.name)} → ${printable(destination.name)}   ${summary(services)}`,
    ...clusterNotes(report, destination),
  ].join(" · ");
  return shown.length === 0 ? [head] : [head, ...table(shown, report.time, view.wide)];
}

/** "412 of 415 synced · 2 conflict · 1 retrying · lag p99 38 ms" */
function summary(services: readonly ReadService[]): string {
  const synced = services.filter(isInOrder).length;
  const counts = new Map<string, number>();
  for (const service of services) {
    if (!isInOrder(service)) counts.set(service.state, (counts.get(service.state) ?? 0) + 1);
  }
  const others = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([state, count]) => `${count} ${printable(state)}`);
  const lag = percentile99(services.flatMap(({ lagMs }) => lagMs ?? []));
  const lagText = lag === undefined ? [] : [`lag p99 ${Math.round(lag)} ms`];
  return [`${synced} of ${services.length} synced`, ...others, ...lagText].join(" · ");
}

function percentile99(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1];
}

function clusterNotes(report: ReadStatus, destination: ReadDestination): readonly string[] {
  const contact = ageAt(destination.lastContact, report.time);
  const notes = [contact === undefined ? "never in contact" : `last contact ${contact} ago`];
  if (!report.source.connected) notes.push("SOURCE NOT CONNECTED");
  if (!destination.connected) notes.push("NOT CONNECTED");
  if (destination.paused) notes.push("PAUSED");
  if (destination.brake) notes.push("DELETIONS BLOCKED (--allow-mass-delete)");
  if (destination.heartbeat === "held-elsewhere") {
    notes.push(`LINK HELD BY ${printable(destination.heartbeatHolder ?? "another process")}`);
  }
  if (destination.heartbeat === "unknown") {
    const { heartbeatCause: cause } = destination;
    notes.push(
      cause === undefined ? "LINK NOT HELD" : `LINK NOT HELD (${printable(leaseCauseCode(cause))})`,
    );
  }
  return notes;
}

function table(services: readonly ReadService[], now: string, wide: boolean): readonly string[] {
  const columns = wide ? [...COLUMNS.slice(0, -1), ...WIDE_COLUMNS, ...COLUMNS.slice(-1)] : COLUMNS;
  return tableLines([
    columns.map(([title]) => title),
    ...services.map((service) => columns.map(([, cell]) => cell(service, now))),
  ]);
}

type Column = readonly [title: string, cell: (service: ReadService, now: string) => string];

const NONE = "-";

const COLUMNS: readonly Column[] = [
  ["NAMESPACE", ({ service }) => service.slice(0, Math.max(0, service.indexOf("/")))],
  ["NAME", ({ service }) => service.slice(service.indexOf("/") + 1)],
  ["TARGET", ({ target }) => target],
  ["STATE", ({ state }) => state],
  ["READY", ({ endpoints }) => (endpoints ? `${endpoints.ready}/${endpoints.total}` : NONE)],
  ["AGE", ({ lastChange }, now) => ageAt(lastChange, now) ?? NONE],
  ["REASON", ({ reason, message }) => [reason, message].filter(Boolean).join(": ") || NONE],
];

const WIDE_COLUMNS: readonly Column[] = [
  ["SLICES", ({ endpoints }) => (endpoints ? String(endpoints.slices) : NONE)],
  ["WRITTEN", ({ lastWrite }, now) => ageAt(lastWrite, now) ?? NONE],
  ["LAG", ({ lagMs }) => (lagMs === undefined ? NONE : `${Math.round(lagMs)}ms`)],
  ["CHANGE", ({ changeId }) => changeId ?? NONE],
];
