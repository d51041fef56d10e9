/** Why there is nothing to look at in any destination: no route takes the Service, or there is no such Service. */
import { suggest } from "./config/suggest.js";
import type { Service } from "./domain/objects.js";
import type { Route } from "./domain/route.js";
import { whyMirror } from "./domain/selection.js";
import { keyOf, serviceKey, splitKey, type ServiceKey } from "./domain/service-key.js";
import type { MappingContext } from "./domain/target.js";
import { failureOf } from "./explain-world.js";
import { notSelected } from "./explain/finding.js";
import { nearMisses } from "./explain/near-misses.js";
import type { Finding } from "./ports/explain-report.js";
import type { KubeApi } from "./ports/kube-api.js";
import { SERVICES } from "./ports/kube-resources.js";

const CODE = "not-selected";

/** No route takes it: why, and what it would take. */
export function notTaken(
  service: Service,
  mapping: MappingContext,
  sourceContext: string,
): Finding {
  const key = keyOf(service);
  if (service.deleting) {
    const message = "it is being deleted";
    return notSelected(key, { code: CODE, message }, { text: message });
  }
  const mirror = whyMirror(service, mapping);
  if (mirror !== undefined) return notSelected(key, mirror, { text: mirror.message });
  const misses = nearMisses(service, mapping.routes);
  const text = misses.map((miss) => `route "${miss.route}": ${miss.text}`).join("; ");
  const [nearest] = misses;
  const { namespace, name } = splitKey(key);
  const fix =
    nearest?.label === undefined
      ? "label a Service in one of the route's namespaces, or add this one to the configuration"
      : `kubectl --context ${sourceContext} -n ${namespace} label --overwrite service ${name} ${nearest.label}`;
  return notSelected(key, { code: CODE, message: `no route takes it: ${text}` }, { text, fix });
}

/** Where a Service was looked for. */
export interface Searched {
  readonly source: KubeApi;
  /** What the source is called. */
  readonly name: string;
  readonly routes: readonly Route[];
}

/** There is no such Service: is there one of a similar name? */
export async function noSuch(
  key: ServiceKey,
  { source, name: cluster, routes }: Searched,
  signal: AbortSignal,
): Promise<Finding> {
  const { namespace, name } = splitKey(key);
  const near = suggest(name, await namesIn(source, namespace, signal));
  const elsewhere = await elsewhereCalled(key, { source, routes }, signal);
  const meant = [...(near === undefined ? [] : [serviceKey(namespace, near)]), ...elsewhere];
  const hint = meant.length === 0 ? "" : `; did you mean ${meant.join(" or ")}?`;
  const message = `there is no Service ${key} in ${cluster}${hint}`;
  const [first] = meant;
  return notSelected(
    key,
    { code: CODE, message },
    { text: message, fix: first === undefined ? undefined : `svc-ferry explain ${first}` },
  );
}

async function namesIn(
  source: KubeApi,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const { items } = await source.list(SERVICES, { namespace, metadataOnly: true }, signal);
    return items.map(({ metadata }) => metadata.name);
  } catch (error) {
    failureOf(error);
    // Who may not list there gets no suggestion; the finding stands without one.
    return [];
  }
}

/** The same name in other namespaces of the routes. */
async function elsewhereCalled(
  key: ServiceKey,
  { source, routes }: Pick<Searched, "source" | "routes">,
  signal: AbortSignal,
): Promise<readonly ServiceKey[]> {
  const { namespace, name } = splitKey(key);
  const others = routes
    .flatMap(({ namespaces }) => (namespaces === "all" ? [] : namespaces))
    .filter((one) => one !== namespace);
  const found = await Promise.all(
    [...new Set(others)].map(async (one) => {
      const object = await source.get(SERVICES, { namespace: one, name }, signal);
      return object === undefined ? [] : [serviceKey(one, name)];
    }),
  );
  return found.flat();
}
