import { each } from "./api.js";
import { Arrivals, shown, shownByEndpoints, shownBySlice } from "./arrivals.js";
import { type Bed, FERRY_LABEL } from "./bed.js";
import { type Counts, grouped } from "./counts.js";
import {
  addresses,
  endpoints,
  endpointsOf,
  names,
  service,
  servicesOf,
  slice,
  slicesOf,
} from "./objects.js";
import { exactRow, limitRow, type Row } from "./row.js";
import { median } from "./statistics.js";

const AT_ONCE = 32;
const ENDPOINTS = 10;

/** Many slices changed at once, from the first PATCH's send until slices and Endpoints of all mirrors show it. */
export async function endpointChanges(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  const { changes, changeRounds } = counts;
  const namespace = await bed.namespace("bench-endpoints");
  const services = names("svc", changes);
  await each(services.entries(), AT_ONCE, async ([index, name]) => {
    await bed.source.send("POST", servicesOf(namespace), service(name, FERRY_LABEL));
    await bed.source.send("POST", slicesOf(namespace), slice(name, first(0, index), ENDPOINTS));
  });
  const replica = bed.ferry(namespace);
  await replica.idle();
  const seen = await Promise.all([
    Arrivals.of(bed.destination, slicesOf(namespace), shownBySlice),
    Arrivals.of(bed.destination, endpointsOf(namespace), shownByEndpoints),
  ]);
  const tookMs: number[] = [];
  const mark = bed.audit.mark();
  for (let round = 1; round <= changeRounds; round++) {
    const signs = services.map((name, index) =>
      shown(name, addresses(first(round, index), ENDPOINTS)),
    );
    const beganMs = performance.now();
    const changed = each(services.entries(), AT_ONCE, ([index, name]) =>
      bed.source.send("PATCH", `${slicesOf(namespace)}/${name}-1`, {
        endpoints: endpoints(name, first(round, index), ENDPOINTS),
      }),
    );
    tookMs.push(
      Math.max(...(await Promise.all(seen.map((arrivals) => arrivals.all(signs))))) - beganMs,
    );
    await changed;
    await replica.idle();
  }
  const writes = bed.audit.writesSince(mark);
  await replica.stop();
  const part = "endpoints";
  const perChange = (resource: string): number =>
    writes.filter((write) => write.resource === resource).length / (changes * changeRounds);
  const others = writes.filter(
    ({ resource }) => !["endpointslices", "endpoints"].includes(resource),
  );
  return [
    limitRow(
      { part, what: `${grouped(changes)} endpoint changes at once → all stored`, unit: "ms" },
      median(tookMs),
      1_000,
    ),
    exactRow(part, "writes per endpoint change, EndpointSlice", perChange("endpointslices"), 1),
    exactRow(part, "writes per endpoint change, Endpoints", perChange("endpoints"), 1),
    exactRow(part, "writes to anything else meanwhile", others.length, 0),
  ];
}

/** No two rounds and no two Services share an address. */
function first(round: number, index: number): number {
  return round * 100_000 + index * ENDPOINTS;
}
