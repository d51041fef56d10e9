/** A view as a whole HTML document, complete without the browser's help. Pure; every text is escaped. */
import { type PageQuery, searchOf, STATES } from "./page-query.js";
import { NOTHING, type PageRow } from "./page-row.js";
import type { PageView } from "./page-view.js";

const CLUSTER_COLUMNS = [
  "Cluster",
  "Part",
  "State",
  "Last contact (UTC)",
  "Mirrors",
  "Waiting",
  "Lag",
];
const SERVICE_COLUMNS = [
  "State",
  "Service",
  "Destination and name",
  "Ready endpoints",
  "Since (UTC)",
  "Lag",
  "Reason and what to do",
];

export interface HtmlOptions {
  readonly query: PageQuery;
  /** All pages for this query. */
  readonly pages: number;
}

export function pageHtml(view: PageView, { query, pages }: HtmlOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>svc-ferry</title>
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
</head>
<body data-tone="${view.tone}" data-live="no">
<header>
<p class="name">svc-ferry</p>
<h1 id="headline" role="status">${escaped(view.headline)}</h1>
<p id="about">${escaped(view.about)}</p>
<p id="live" hidden></p>
<nav aria-label="Parts"><a href="#services">Services</a> <a href="#audit">Latest changes</a></nav>
</header>
<main>
${table({ id: "clusters", caption: "Clusters", columns: CLUSTER_COLUMNS, rows: view.clusters })}
<section aria-label="Services">
<form method="get" action="/" role="search">
<label>Find <input type="search" name="q" value="${escaped(query.text)}" placeholder="name, target or reason"></label>
<label>State <select name="state">${options(query.state)}</select></label>
<button>Show</button>
</form>
${table({ id: "services", caption: "Services", columns: SERVICE_COLUMNS, rows: view.services, found: view.found })}
${pager(query, pages)}
</section>
${table({ id: "audit", caption: "Latest changes", columns: ["Line of the log"], rows: view.audit })}
</main>
</body>
</html>
`;
}

interface TableOptions {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly PageRow[];
  /** How many there are, when it changes. */
  readonly found?: string;
}

function table({ id, caption, columns, rows, found }: TableOptions): string {
  const count = found === undefined ? "" : ` <span id="found">${escaped(found)}</span>`;
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join("");
  return `<table>
<caption>${escaped(caption)}${count}</caption>
<thead><tr>${head}</tr></thead>
<tbody id="${id}">
${rows.map((row) => rowHtml(row, columns)).join("\n")}
</tbody>
</table>`;
}

function rowHtml({ tone, cells }: PageRow, columns: readonly string[]): string {
  const shown = cells.map((cell, index) => {
    const label = escaped(columns[index] ?? "");
    return `<td data-label="${label}"${cell === NOTHING ? " data-nothing" : ""}>${escaped(cell)}</td>`;
  });
  return `<tr data-tone="${tone}">${shown.join("")}</tr>`;
}

function options(chosen: string): string {
  const option = (value: string, text: string): string =>
    `<option value="${value}"${value === chosen ? " selected" : ""}>${text}</option>`;
  return [option("", "all"), ...STATES.map((state) => option(state, state))].join("");
}

function pager(query: PageQuery, pages: number): string {
  if (pages === 1) return "";
  const current = Math.min(query.page, pages);
  const link = (page: number, text: string): string =>
    page < 1 || page > pages
      ? `<span>${text}</span>`
      : `<a href="/${escaped(searchOf({ ...query, page }))}">${text}</a>`;
  return `<nav aria-label="Pages">${link(current - 1, "Previous")} <span>page ${current} of ${pages}</span> ${link(current + 1, "Next")}</nav>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
