import { leaseCauseCode } from "../../ports/destination-lease.js";
import type { ClusterStatus, DestinationStatus, StatusReport } from "../../ports/status.js";
import { moment, NOTHING, type PageRow } from "./page-row.js";

/** The source and each destination: how it is connected, and what keeps anything from being written there. */
export function clusterRows(report: StatusReport): readonly PageRow[] {
  return [
    sourceRow(report.source),
    ...report.destinations.map((one) => destinationRow(one, report)),
  ];
}

function sourceRow(source: ClusterStatus): PageRow {
  const state = source.connected ? "● connected" : "▲ not connected";
  return {
    tone: source.connected ? "good" : "bad",
    cells: [source.name, "source", state, contact(source), NOTHING, NOTHING, NOTHING],
  };
}

function destinationRow(destination: DestinationStatus, report: StatusReport): PageRow {
  const troubles = report.observed ? troublesOf(destination) : [];
  if (!destination.connected) troubles.unshift("not connected");
  return {
    tone: troubles.length === 0 ? "good" : "bad",
    cells: [
      destination.name,
      "destination",
      troubles.length === 0 ? "● connected" : `▲ ${troubles.join(", ")}`,
      contact(destination),
      String(destination.mirrors),
      String(destination.queued),
      lag(report, destination.name),
    ],
  };
}

function troublesOf(destination: DestinationStatus): string[] {
  const { paused, brake, heartbeat, heartbeatHolder, heartbeatCause } = destination;
  return [
    ...(paused ? ["paused"] : []),
    ...(brake ? ["deletions blocked"] : []),
    ...(heartbeat === "held-elsewhere"
      ? [`link held by ${heartbeatHolder ?? "another process"}`]
      : []),
    ...(heartbeat === "unknown"
      ? [`link not held${heartbeatCause ? ` (${leaseCauseCode(heartbeatCause)})` : ""}`]
      : []),
  ];
}

/** To ten seconds: a row that changed with every byte would be sent with every byte. */
function contact({ lastContact }: ClusterStatus): string {
  return moment(lastContact && `${lastContact.slice(0, 18)}0`);
}

function lag({ services }: StatusReport, destination: string): string {
  const lags = services
    .flatMap((one) => (one.destination === destination ? (one.lagMs ?? []) : []))
    .toSorted((a, b) => a - b);
  const at = (share: number): number | undefined => lags[Math.ceil(lags.length * share) - 1];
  const [median, slow] = [at(0.5), at(0.99)];
  if (median === undefined || slow === undefined) return NOTHING;
  return `${Math.round(median)} ms, p99 ${Math.round(slow)} ms`;
}
