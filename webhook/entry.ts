/** What the API server can ask for, each by a path of its own. */
export type Entry = "mutate" | "validate";

export const ENTRIES: readonly Entry[] = ["mutate", "validate"];

/** "/mutate?timeout=2s" -> "mutate"; "other" for every path that is not one. */
export function entryOf(url: string): Entry | "other" {
  const [path] = url.split("?", 1);
  return ENTRIES.find((entry) => path === `/${entry}`) ?? "other";
}
