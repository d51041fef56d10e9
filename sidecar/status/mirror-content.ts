import type { EtcdSideReport, MirrorStatusReport } from "../../src/ports/mirror-report.js";
import { moment, NOTHING, type PageRow } from "../../src/telemetry/page/page-row.js";
import type { PageContent, PageLayout, PageView } from "../../src/telemetry/page/page-view.js";
import { ADVICE } from "../debts/advice.js";
import { DEBT_CODES } from "../debts/debt.js";
import { mirrorHeadline, owedObjects } from "./mirror-headline.js";
import { troubleRows } from "./mirror-troubles.js";

const LAYOUT: PageLayout = {
  title: "svc-ferry mirror",
  tables: [
    {
      id: "troubles",
      caption: "Not in order",
      columns: [
        { label: "What", kind: "state" },
        { label: "Since (UTC)", kind: "short" },
        { label: "What it means and what to do", kind: "long" },
      ],
    },
    {
      id: "clusters",
      caption: "Clusters",
      columns: [
        { label: "Cluster", kind: "name" },
        { label: "State", kind: "state" },
        { label: "Last contact (UTC)", kind: "short" },
        { label: "Revision of the source", kind: "short" },
        { label: "Behind", kind: "short" },
      ],
    },
    {
      id: "rules",
      caption: "Rules",
      columns: [{ label: "Rule", kind: "name" }, { label: "Objects in the destination" }],
    },
    {
      id: "debts",
      caption: "Debts",
      columns: [
        { label: "Reason", kind: "state" },
        { label: "Objects", kind: "short" },
        { label: "What to do", kind: "long" },
      ],
    },
    {
      id: "refused",
      caption: "Owed keys",
      columns: [
        { label: "Key", kind: "name" },
        { label: "Reason", kind: "state" },
        { label: "Since (UTC)", kind: "short" },
        { label: "Detail", kind: "long" },
      ],
    },
  ],
};

/** Rows of a table: what a person reads, and a browser draws at once. The report has no more refused keys either. */
const MOST_ROWS = 100;

/** The mirror's page. Keys and reasons, never a value. */
export class MirrorContent implements PageContent {
  constructor(private readonly report: () => MirrorStatusReport) {}

  layout(): PageLayout {
    return LAYOUT;
  }

  view(): PageView {
    return mirrorView(this.report());
  }
}

/** Pure. */
export function mirrorView(report: MirrorStatusReport): PageView {
  const { rules, debts, refused } = report;
  const owed = owedObjects(report);
  const newest = refused.toReversed().slice(0, MOST_ROWS);
  return {
    ...mirrorHeadline(report),
    about: about(report),
    tables: {
      troubles: { rows: troubleRows(report) },
      clusters: { rows: report.etcds.map((side) => clusterRow(side, report)) },
      rules: {
        rows: rules.slice(0, MOST_ROWS).map(({ label, owned }) => ({
          tone: "none",
          cells: [label, String(owned)],
        })),
        count: part(Math.min(MOST_ROWS, rules.length), rules.length, "the first "),
      },
      debts: { rows: debtRows(debts), count: part(owed, owed, "") },
      refused: {
        rows: newest.map(({ path, code, since, detail }) => ({
          tone: "bad",
          cells: [path, `▲ ${code}`, moment(since), detail ?? NOTHING],
        })),
        count: part(newest.length, Math.max(owed, newest.length), "the newest "),
      },
    },
  };
}

function about({ podName, link, mode, writes, version, fence }: MirrorStatusReport): string {
  const part = fence.held ? "writes" : "does not write";
  return [
    `${podName} ${part}`,
    `link ${link}`,
    `${mode}, ${writes}`,
    `version ${version}`,
    ...wayToWriter(fence),
  ].join(" · ");
}

/** Only the one that writes has read the books. A holder calls itself "pod/id". */
function wayToWriter({ held, holder }: MirrorStatusReport["fence"]): readonly string[] {
  const pod = holder?.split("/")[0];
  return held || pod === undefined ? [] : [`ask ${pod}: kubectl port-forward pod/${pod} 10520`];
}

function clusterRow(side: EtcdSideReport, report: MirrorStatusReport): PageRow {
  const { name, connected, trouble, lastContact } = side;
  const why = trouble === undefined ? "" : ` (${trouble})`;
  const isDestination = name === "destination";
  const revision = isDestination ? report.revisionApplied : report.revisionRead;
  return {
    tone: connected ? "good" : "bad",
    cells: [
      name,
      connected ? "● connected" : `▲ not connected${why}`,
      moment(lastContact),
      revision === undefined ? NOTHING : `${isDestination ? "applied" : "read"} to ${revision}`,
      isDestination ? bothBehind(report) : NOTHING,
    ],
  };
}

/** What goes through the API server may be behind when nothing else is. */
function bothBehind(report: MirrorStatusReport): string {
  const { apiLagSeconds } = report;
  const raw = behind(report);
  return apiLagSeconds === 0 ? raw : `${raw}; through the API server ${apiLagSeconds.toFixed(1)} s`;
}

function behind({ lagRevisions, lagSeconds, revisionApplied }: MirrorStatusReport): string {
  if (revisionApplied === undefined) return NOTHING;
  if (lagRevisions === 0) {
    return lagSeconds === 0 ? "nothing" : `${lagSeconds.toFixed(1)} s`;
  }
  const revisions = lagRevisions === 1 ? "1 revision" : `${lagRevisions} revisions`;
  return `${revisions}, ${lagSeconds.toFixed(1)} s`;
}

function debtRows(debts: MirrorStatusReport["debts"]): readonly PageRow[] {
  return DEBT_CODES.filter((code) => (debts[code] ?? 0) > 0).map((code) => ({
    tone: "bad",
    cells: [`▲ ${code}`, String(debts[code]), ADVICE[code]],
  }));
}

function part(shown: number, all: number, which: string): string {
  if (all === 0) return "none";
  return shown === all ? String(all) : `${which}${shown} of ${all}`;
}
