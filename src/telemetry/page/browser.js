/**
 * Runs in the browser: follows one stream of changes and puts them into the page that the server has rendered. Texts of
 * strangers only ever become text. Without it the page is complete, but stands still.
 */

const live = document.getElementById("live");

/** A row of a table, as the server renders it: cells get their labels from the head. */
function rowOf(table, { tone, cells }) {
  const labels = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const row = document.createElement("tr");
  row.dataset.tone = tone;
  for (const [index, text] of cells.entries()) {
    const cell = row.insertCell();
    cell.dataset.label = labels[index] ?? "";
    cell.textContent = text;
    cell.toggleAttribute("data-nothing", text === "–");
  }
  return row;
}

function applyTable(id, { length, rows }) {
  const body = document.getElementById(id);
  for (const [index, row] of Object.entries(rows)) {
    const fresh = rowOf(body.parentElement, row);
    const old = body.rows[Number(index)];
    if (old === undefined) body.append(fresh);
    else old.replaceWith(fresh);
  }
  while (body.rows.length > length) body.deleteRow(-1);
}

function apply({ texts, tables }) {
  const { tone, ...others } = texts;
  if (tone !== undefined) document.body.dataset.tone = tone;
  for (const [id, text] of Object.entries(others)) document.getElementById(id).textContent = text;
  for (const [id, table] of Object.entries(tables)) applyTable(id, table);
}

/** Only a stream that broke is worth a word: what is shown then is old, and says how old. */
function tellLive(isLive) {
  document.body.dataset.live = isLive ? "yes" : "no";
  live.hidden = isLive;
  const when = seenAt === undefined ? "when it was opened" : `at ${seenAt} UTC`;
  if (!isLive) live.textContent = `Not connected: this is how it was ${when}. Trying again.`;
}

function tellSeen(at) {
  seenAt = at;
  tellLive(true);
}

let seenAt;
let stream;

function follow() {
  stream = new EventSource(`/page.events${location.search}`);
  stream.addEventListener("view", ({ data }) => {
    const { at, patch } = JSON.parse(data);
    apply(patch);
    tellSeen(at);
  });
  // Comes every few seconds, also when nothing has changed.
  stream.addEventListener("beat", ({ data }) => tellSeen(JSON.parse(data).at));
  stream.addEventListener("error", () => tellLive(false));
}

/** Nobody looks at a hidden tab, and a browser has six connections to one host. */
document.addEventListener("visibilitychange", () => {
  stream?.close();
  if (!document.hidden) follow();
});
if (!document.hidden) follow();
