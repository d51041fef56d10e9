/** A view as a whole HTML document, complete without the browser's help. Pure; every text is escaped. */
import { countId } from "./page-diff.js";
import { NOTHING, type PageRow } from "./page-row.js";
import type {
  Column,
  PageLayout,
  PagerView,
  PageView,
  SearchForm,
  TableLayout,
} from "./page-view.js";

export function pageHtml(layout: PageLayout, view: PageView): string {
  const title = escaped(layout.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/page.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
</head>
<body data-tone="${view.tone}">
<header>
<p class="title">${title}</p>
<h1 id="headline" role="status">${escaped(view.headline)}</h1>
<p id="about">${escaped(view.about)}</p>
<p id="live" hidden></p>
<nav aria-label="Parts">${layout.tables.map(partLink).join(" ")}</nav>
</header>
<main>
${layout.tables.map((table) => section(table, view)).join("\n")}
</main>
</body>
</html>
`;
}

function partLink({ id, caption }: TableLayout): string {
  return `<a href="#${id}">${escaped(caption)}</a>`;
}

function section(table: TableLayout, view: PageView): string {
  const { caption, search } = table;
  const shown = tableHtml(table, view);
  if (search === undefined) return shown;
  return `<section aria-label="${escaped(caption)}">
${form(search)}
${shown}
${view.pager === undefined ? "" : pagerHtml(view.pager)}
</section>`;
}

function tableHtml({ id, caption, columns }: TableLayout, { tables }: PageView): string {
  const { rows, count } = tables[id] ?? { rows: [] };
  const beside =
    count === undefined ? "" : ` <span id="${countId(id)}" class="count">${escaped(count)}</span>`;
  const head = columns.map(
    ({ label, kind = "" }) => `<th scope="col" class="${kind}">${escaped(label)}</th>`,
  );
  return `<table>
<caption>${escaped(caption)}${beside}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody id="${id}">${rows.map((row) => rowHtml(row, columns)).join("\n")}</tbody>
</table>`;
}

function rowHtml({ tone, cells }: PageRow, columns: readonly Column[]): string {
  const shown = cells.map((cell, index) => {
    const { label, kind = "" } = columns[index] ?? { label: "" };
    const nothing = cell === NOTHING ? " data-nothing" : "";
    return `<td class="${kind}" data-label="${escaped(label)}"${nothing}>${escaped(cell)}</td>`;
  });
  return `<tr data-tone="${tone}">${shown.join("")}</tr>`;
}

function form({ placeholder, text, states, state }: SearchForm): string {
  const option = (value: string, word: string): string =>
    `<option value="${escaped(value)}"${value === state ? " selected" : ""}>${escaped(word)}</option>`;
  const options = [option("", "all"), ...states.map((one) => option(one, one))];
  return `<form method="get" action="/" role="search">
<label>Find <input type="search" name="q" value="${escaped(text)}" placeholder="${escaped(placeholder)}"></label>
<label>State <select name="state">${options.join("")}</select></label>
<button>Show</button>
</form>`;
}

/** Links that lead nowhere have no address; with none that does, the style sheet hides the whole. */
function pagerHtml({ position, previous, next }: PagerView): string {
  const link = (id: string, address: string, text: string): string =>
    `<a id="${id}"${address === "" ? "" : ` href="${escaped(address)}"`}>${text}</a>`;
  return `<nav class="pager" aria-label="Pages">${link("previous", previous, "Previous")} <span id="position">${escaped(position)}</span> ${link("next", next, "Next")}</nav>`;
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
