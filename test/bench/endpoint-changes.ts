import { each } from "./api.js";
import { Arrivals, shown, shownByEndpoints, shownBySlice } from "./arrivals.js";
import { type Bed, FERRY_LABEL } from "./bed.js";
import { type Counts, grouped } from "./counts.js";
import {
  addresses,
  coreEndpoints,
  endpoints,
  endpointsOf,
  names,
  service,
  servicesOf,
  slice,
  slicesOf,
} from "./objects.js";
import { besideRow, exactRow, type Row } from "./row.js";
import { median } from "./statistics.js";

const AT_ONCE = 32;
const ENDPOINTS = 10;

/**
 * Many slices changed at once, from the first PATCH's send until slices and Endpoints of all mirrors show it. Both make two
 * writes for each change. They take turns, in either order.
 */
export async function endpointChanges(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  const { changes, changeRounds } = counts;
  const raw = await Side.of(bed, "bench-endpoints-raw", changes);
  const ferry = await Side.of(bed, "bench-endpoints", changes);
  await ferry.createSources(FERRY_LABEL);
  await raw.createSources({});
  await raw.createCopies();
  const replica = bed.ferry(ferry.namespace);
  await replica.idle();
  const writer = await bed.rawWriter(raw.namespace);
  const bare: number[] = [];
  const ours: number[] = [];
  const mark = bed.audit.mark();
  for (let round = 1; round <= changeRounds; round++) {
    const turns = [
      async () => bare.push(await raw.change(round)),
      async () => ours.push(await ferry.change(round)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      await turn();
      await replica.idle();
    }
  }
  const writes = bed.audit.writesSince(mark);
  await Promise.all([writer.stop(0), replica.stop()]);
  const part = "endpoints";
  const perChange = (resource: string): number =>
    writes.filter((write) => write.resource === resource).length / (changes * changeRounds);
  const others = writes.filter(
    ({ resource }) => !["endpointslices", "endpoints"].includes(resource),
  );
  return [
    besideRow(
      { part, what: `${grouped(changes)} endpoint changes at once → all stored`, unit: "ms" },
      { bare: median(bare), ferry: median(ours) },
      1_000,
    ),
    exactRow(part, "writes per endpoint change, EndpointSlice", perChange("endpointslices"), 1),
    exactRow(part, "writes per endpoint change, Endpoints", perChange("endpoints"), 1),
    exactRow(part, "writes to anything else meanwhile", others.length, 0),
  ];
}

/** A namespace in both clusters, and Services in it whose slices change. */
class Side {
  readonly #services: readonly string[];

  private constructor(
    private readonly bed: Bed,
    readonly namespace: string,
    private readonly seen: readonly Arrivals[],
    changes: number,
  ) {
    this.#services = names("svc", changes);
  }

  static async of(bed: Bed, name: string, changes: number): Promise<Side> {
    const namespace = await bed.namespace(name);
    const seen = await Promise.all([
      Arrivals.of(bed.destination, slicesOf(namespace), shownBySlice),
      Arrivals.of(bed.destination, endpointsOf(namespace), shownByEndpoints),
    ]);
    return new Side(bed, namespace, seen, changes);
  }

  async createSources(labels: Readonly<Record<string, string>>): Promise<void> {
    const { bed, namespace } = this;
    await each(this.#services.entries(), AT_ONCE, async ([index, name]) => {
      await bed.source.send("POST", servicesOf(namespace), service(name, labels));
      await bed.source.send("POST", slicesOf(namespace), slice(name, first(0, index), ENDPOINTS));
    });
  }

  /** What svc-ferry makes by itself. */
  async createCopies(): Promise<void> {
    const { namespace } = this;
    const { destination } = this.bed;
    await each(this.#services.entries(), AT_ONCE, async ([index, name]) => {
      const at = [name, first(0, index), ENDPOINTS] as const;
      await destination.send("POST", servicesOf(namespace), service(name));
      await destination.send("POST", slicesOf(namespace), slice(...at));
      await destination.send("POST", endpointsOf(namespace), coreEndpoints(...at));
    });
  }

  /** @returns ms */
  async change(round: number): Promise<number> {
    const { bed, namespace } = this;
    const signs = this.#services.map((name, index) =>
      shown(name, addresses(first(round, index), ENDPOINTS)),
    );
    const beganMs = performance.now();
    const changed = each(this.#services.entries(), AT_ONCE, ([index, name]) =>
      bed.source.send("PATCH", `${slicesOf(namespace)}/${name}-1`, {
        endpoints: endpoints(name, first(round, index), ENDPOINTS),
      }),
    );
    const arrived = await Promise.all(this.seen.map((arrivals) => arrivals.all(signs)));
    await changed;
    return Math.max(...arrived) - beganMs;
  }
}

/** No two rounds and no two Services share an address. */
function first(round: number, index: number): number {
  return round * 100_000 + index * ENDPOINTS;
}
