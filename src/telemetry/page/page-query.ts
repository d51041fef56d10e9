/** What somebody looks for, as the address says it: `/?q=shop&state=conflict&page=2`. */
export interface PageQuery {
  /** Part of a name, a target, a destination or a reason; "": all. */
  readonly text: string;
  /** "": all. */
  readonly state: string;
  /** From 1 on. One behind the last shows the last. */
  readonly page: number;
}

/** As /status has them. */
export const STATES = ["synced", "pending", "retrying", "conflict", "refused", "paused", "held"];

/** Longest name of a Service with its namespace. */
const MAX_TEXT_CHARS = 127;
const MAX_PAGE = 100_000;

/** The edge: whatever the address says becomes a query; nonsense reads as nothing. */
export function parseQuery(search: unknown): PageQuery {
  const given = (search ?? {}) as Readonly<Record<string, unknown>>;
  const text = typeof given["q"] === "string" ? given["q"].slice(0, MAX_TEXT_CHARS).trim() : "";
  const state = STATES.find((one) => one === given["state"]) ?? "";
  const page = Number(given["page"]);
  const isPage = Number.isInteger(page) && page >= 1 && page <= MAX_PAGE;
  return { text, state, page: isPage ? page : 1 };
}

/** The other way round; "" when everything is asked for. */
export function searchOf({ text, state, page }: PageQuery): string {
  const search = new URLSearchParams();
  if (text !== "") search.set("q", text);
  if (state !== "") search.set("state", state);
  if (page > 1) search.set("page", String(page));
  return search.size === 0 ? "" : `?${search.toString()}`;
}
