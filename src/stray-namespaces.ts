/** Where mirrors lie that no route of this configuration leads to: nobody else would ever look there again. */
import { LINK_LABEL } from "./domain/labels.js";
import { RetryableError } from "./ports/errors.js";
import type { KubeApi } from "./ports/kube-api.js";
import { SERVICES } from "./ports/kube-resources.js";
import { listPages } from "./watch/list-pages.js";

export interface StrayQuestion {
  readonly link: string;
  /** Namespaces that are watched anyhow. */
  readonly mapped: readonly string[] | "all";
}

const PAGE_SIZE = 500;

/**
 * @returns undefined when the account may not list the Services of all namespaces
 * @throws RetryableError when the cluster does not answer
 */
export async function strayNamespaces(
  api: KubeApi,
  { link, mapped }: StrayQuestion,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (mapped === "all") return [];
  const found = new Set<string>();
  const labelSelector = `${LINK_LABEL}=${link}`;
  const list = (limit: number | undefined): Promise<string | undefined> => {
    const options = { labelSelector, metadataOnly: true, limit };
    const each = ({ metadata }: { metadata: { namespace?: string } }): void =>
      void found.add(metadata.namespace ?? "");
    return listPages({ api, resource: SERVICES, options, each }, signal);
  };
  try {
    // In one piece when reading the pages took longer than the server keeps their version.
    if ((await list(PAGE_SIZE)) === undefined) await list(undefined);
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006") return undefined;
    throw error;
  }
  return [...found].filter((namespace) => !mapped.includes(namespace));
}
