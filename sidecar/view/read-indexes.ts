/** Namespaces and CRDs of the source: what everything else is judged by. */
import type { KubePrefix } from "../link/keyspace.js";
import { sourcePages, type PagesOptions } from "../pass/source-pages.js";
import { CRDS, NAMESPACES, type SourceView } from "./source-view.js";

export interface IndexedSource extends Omit<PagesOptions, "prefix" | "after"> {
  readonly sourcePrefix: KubePrefix;
  readonly view: SourceView;
}

/**
 * @returns the revision at which the first page was read
 * @throws the signal's reason; what ended the term
 */
export async function readIndexes({
  sourcePrefix,
  view,
  ...source
}: IndexedSource): Promise<bigint> {
  const pages = (path: string) => sourcePages({ ...source, prefix: sourcePrefix.key(path) });
  const labels = new Map<string, Readonly<Record<string, string>>>();
  let first: bigint | undefined;
  for await (const page of pages(NAMESPACES)) {
    first ??= page.header.revision;
    for (const kv of page.kvs) {
      const object = await view.peek(kv);
      if (object !== undefined) labels.set(object.meta.name, object.meta.labels);
    }
  }
  view.namespaces.replace(labels, first ?? 0n);
  for await (const page of pages(CRDS)) {
    for (const kv of page.kvs) {
      const name = sourcePrefix.path(kv.key).slice(CRDS.length);
      view.sawCrd(name, await view.peek(kv));
    }
  }
  return first ?? 0n;
}
