import type { KubeApi, KubeObject, ListOptions, Resource } from "../ports/kube-api.js";
import { codeOf } from "./pace.js";

/** A list in pages; `each` gets the objects of a page when it has come. */
export interface PagedList {
  readonly api: KubeApi;
  readonly resource: Resource;
  readonly options: ListOptions;
  readonly each: (object: KubeObject) => void;
}

/**
 * Lists page by page, so that no more than one page of raw objects is held.
 *
 * @returns the version of the first page (the API pins the others to it); undefined when a continue token became too old: what
 * `each` has seen is part of a list that cannot be finished, begin anew
 */
export async function listPages(list: PagedList, signal: AbortSignal): Promise<string | undefined> {
  const { api, resource, options, each } = list;
  let page = await api.list(resource, options, signal);
  const { resourceVersion } = page;
  for (;;) {
    for (const object of page.items) each(object);
    const { continueToken } = page;
    if (continueToken === undefined) return resourceVersion;
    try {
      page = await api.list(resource, { ...options, continueToken }, signal);
    } catch (error) {
      if (codeOf(error) === "FERRY-K008") return undefined;
      throw error;
    }
  }
}
