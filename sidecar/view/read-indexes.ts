/** Namespaces and CRDs of the source: what everything else is judged by. */
import type { KeyValue } from "../etcd/etcd.js";
import type { KubePrefix } from "../link/keyspace.js";
import { sourcePages, type PagesOptions } from "../pass/source-pages.js";
import type { StoredObject } from "../wire/stored-object.js";
import { CRDS, NAMESPACES, type SourceView } from "./source-view.js";

export interface IndexedSource extends Omit<PagesOptions, "prefix" | "after"> {
  readonly sourcePrefix: KubePrefix;
  readonly view: SourceView;
  /** Reads one value; `view.peek`, or with more patience. */
  readonly peek: (kv: KeyValue) => Promise<StoredObject | undefined>;
}

/** Between which revisions the Namespaces were read, page by page: nobody knows of which one the labels of each are. */
export interface IndexesRead {
  readonly first: bigint;
  readonly last: bigint;
}

/** @throws the signal's reason; what ended the term */
export async function readIndexes({
  sourcePrefix,
  view,
  peek,
  ...source
}: IndexedSource): Promise<IndexesRead> {
  const pages = (path: string) => sourcePages({ ...source, prefix: sourcePrefix.key(path) });
  const labels = new Map<string, Readonly<Record<string, string>> | undefined>();
  let first: bigint | undefined;
  let last = 0n;
  for await (const page of pages(NAMESPACES)) {
    last = page.header.revision;
    first ??= last;
    for (const kv of page.kvs) {
      const object = await peek(kv);
      labels.set(sourcePrefix.path(kv.key).slice(NAMESPACES.length), object?.meta.labels);
    }
  }
  view.namespaces.replace(labels, first ?? 0n);
  for await (const page of pages(CRDS)) {
    for (const kv of page.kvs) {
      const name = sourcePrefix.path(kv.key).slice(CRDS.length);
      view.sawCrd(name, await peek(kv));
    }
  }
  return { first: first ?? 0n, last };
}
