/**
 * Runs in the browser: follows one stream of changes and puts them into the page that the server has rendered. Texts of
 * strangers only ever become text. Without it the page is complete, but stands still.
 */

/** After a stream that the browser gave up (the server, or a proxy before it, answered with an error). */
const AGAIN_MS = 2_000;
/** The server says something at least every 15 s: silence for more than twice as long is a connection that nobody has closed. */
const SILENT_MS = 40_000;

const live = document.getElementById("live");

/** A row of a table, as the server renders it: cells are called and set as the head says. */
function rowOf(table, { tone, cells }) {
  const heads = table.tHead.rows[0].cells;
  const row = document.createElement("tr");
  row.dataset.tone = tone;
  for (const [index, text] of cells.entries()) {
    const cell = row.insertCell();
    cell.className = heads[index]?.className ?? "";
    cell.dataset.label = heads[index]?.textContent ?? "";
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

function applyLink(id, address) {
  const link = document.getElementById(id);
  if (address === "") link.removeAttribute("href");
  else link.setAttribute("href", address);
}

function apply({ tone, texts, links, tables }) {
  if (tone !== undefined) document.body.dataset.tone = tone;
  for (const [id, text] of Object.entries(texts)) document.getElementById(id).textContent = text;
  for (const [id, address] of Object.entries(links)) applyLink(id, address);
  for (const [id, table] of Object.entries(tables)) applyTable(id, table);
}

let seenAt;
let stream;
let timer;

/** Only a stream that broke is worth a word: what is shown then is old, and says how old. */
function tellOld() {
  const when = seenAt === undefined ? "when it was opened" : `at ${seenAt} UTC`;
  live.textContent = `Not connected: this is how it was ${when}. Trying again.`;
  live.hidden = false;
}

function heard(at) {
  seenAt = at;
  live.hidden = true;
  after(SILENT_MS, lost);
}

function lost() {
  tellOld();
  follow();
}

/** One thing is waited for at a time. */
function after(ms, then) {
  clearTimeout(timer);
  timer = setTimeout(() => then(), ms);
}

function follow() {
  stream?.close();
  const one = new EventSource(`/page.events${location.search}`);
  stream = one;
  after(SILENT_MS, lost);
  one.addEventListener("view", ({ data }) => {
    const { at, patch } = JSON.parse(data);
    apply(patch);
    heard(at);
  });
  // Comes when nothing has changed for a while.
  one.addEventListener("beat", ({ data }) => heard(JSON.parse(data).at));
  one.addEventListener("error", () => {
    tellOld();
    // A connection that broke the browser opens again by itself; an answer that is no stream it takes for the last word.
    if (one.readyState === EventSource.CLOSED) after(AGAIN_MS, follow);
  });
}

/** Nobody looks at a hidden tab, and a browser has six connections to one host. */
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  stream?.close();
  if (!document.hidden) follow();
});
if (!document.hidden) follow();
