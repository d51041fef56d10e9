import type { Cluster } from "./cluster.js";

/** What clusters make and let go by themselves. */
const OF_THE_CLUSTER = new Set(["Event", "ComponentStatus"]);

interface Resources {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly verbs: readonly string[];
  }[];
}

/**
 * Every object of a cluster, of whatever kind, as `Kind namespace/name`, sorted: what was installed is what is there more
 * than before. Events are left out.
 */
export async function allObjects(cluster: Cluster): Promise<readonly string[]> {
  const found = await Promise.all((await roots(cluster)).map(async (root) => under(cluster, root)));
  return [...new Set(found.flat())].toSorted();
}

async function roots(cluster: Cluster): Promise<readonly string[]> {
  const { body } = await cluster.request("GET", "/apis");
  const { groups } = body as {
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  };
  return [
    "/api/v1",
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
}

async function under(cluster: Cluster, root: string): Promise<readonly string[]> {
  const { resources } = (await cluster.request("GET", root)).body as Resources;
  const kinds = resources.filter(
    ({ name, kind, verbs }) =>
      verbs.includes("list") && !name.includes("/") && !OF_THE_CLUSTER.has(kind),
  );
  const lists = kinds.map(async ({ name, kind }) => {
    const { body } = await cluster.request("GET", `${root}/${name}`);
    const { items = [] } = body as { readonly items?: readonly Named[] };
    return items.map(({ metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  });
  return (await Promise.all(lists)).flat();
}

interface Named {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}
