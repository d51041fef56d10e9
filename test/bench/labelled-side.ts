import { each } from "./api.js";
import { addedName, Arrivals } from "./arrivals.js";
import type { Bed } from "./bed.js";
import { names, service, servicesOf } from "./objects.js";

/** Services of one namespace that are labelled one at a time, and how long each took to arrive. */
export interface Side {
  readonly tookMs: number[];
  label(round: number): Promise<void>;
}

/** Made in both clusters, none labelled yet. */
export async function side(
  bed: Bed,
  namespace: string,
  label: Readonly<Record<string, string>>,
  count: number,
): Promise<Side> {
  await bed.namespace(namespace);
  const path = servicesOf(namespace);
  const services = names("svc", count);
  await each(services, 16, (name) => bed.source.send("POST", path, service(name)));
  const arrivals = await Arrivals.of(bed.destination, path, addedName);
  const tookMs: number[] = [];
  return {
    tookMs,
    label: async (round) => {
      const name = services[round] ?? "";
      const beganMs = performance.now();
      const sent = bed.source.send("PATCH", `${path}/${name}`, { metadata: { labels: label } });
      tookMs.push((await arrivals.all([name])) - beganMs);
      await sent;
    },
  };
}
