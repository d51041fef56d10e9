import { each } from "./api.js";
import { addedName, Arrivals, shown, shownByEndpoints, shownBySlice } from "./arrivals.js";
import { type Bed, FERRY_LABEL, RAW_LABEL } from "./bed.js";
import { type Counts, grouped } from "./counts.js";
import { addresses, endpointsOf, names, service, servicesOf, slice, slicesOf } from "./objects.js";
import { limitRow, ratioRow, type Row } from "./row.js";
import { cpuSeconds } from "./replica.js";
import { mean } from "./statistics.js";

/** Creations under way at once. */
const AT_ONCE = 32;

/**
 * Many Services created at once, from the first POST's send to the last mirror's appearance. Both do the same work: one
 * POST for each Service, for they have no endpoints. The two take turns; the one whose turn it is not runs idle beside.
 */
export async function burst(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  const raw = await side(bed, "bench-burst-raw", RAW_LABEL);
  const ferry = await side(bed, "bench-burst-ferry", FERRY_LABEL);
  const writer = await bed.rawWriter("bench-burst-raw");
  const replica = bed.ferry("bench-burst-ferry");
  await replica.idle();
  for (const one of [raw, ferry]) await one.create("warm", Math.ceil(counts.burst / 10));
  await replica.idle();
  const bare: number[] = [];
  const ours: number[] = [];
  const cpu = { bare: 0, ferry: 0 };
  const counted = async (who: "bare" | "ferry", pid: number, act: () => Promise<unknown>) => {
    const before = cpuSeconds(pid);
    await act();
    cpu[who] += (cpuSeconds(pid) - before) / counts.bursts;
  };
  for (let round = 0; round < counts.bursts; round++) {
    const turns = [
      () =>
        counted("bare", writer.pid, async () =>
          bare.push(await raw.create(`burst-${round}`, counts.burst)),
        ),
      () =>
        counted("ferry", replica.pid, async () =>
          ours.push(await ferry.create(`burst-${round}`, counts.burst)),
        ),
    ];
    // Each Service makes the next one dearer for the servers, so who begins takes turns as well.
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      await turn();
      await replica.idle();
    }
  }
  const withEndpoints = await labelledAtOnce(bed, "bench-burst-ferry", counts.burst);
  await Promise.all([writer.stop(0), replica.stop()]);
  const part = "burst";
  const many = grouped(counts.burst);
  return [
    ratioRow(
      { part, what: `${many} Services created at once → all mirrored`, unit: "s" },
      { bare: mean(bare) / 1_000, ferry: mean(ours) / 1_000 },
      1.15,
    ),
    ratioRow(
      { part, what: `CPU time of the process for ${many} Services`, unit: "s" },
      cpu,
      undefined,
    ),
    limitRow(
      {
        part,
        what: `${many} Services with endpoints labelled at once → all stored (3 writes each)`,
        unit: "s",
      },
      withEndpoints / 1_000,
    ),
  ];
}

interface Side {
  /** @returns ms */
  create(prefix: string, count: number): Promise<number>;
}

async function side(
  bed: Bed,
  namespace: string,
  label: Readonly<Record<string, string>>,
): Promise<Side> {
  await bed.namespace(namespace);
  const path = servicesOf(namespace);
  const arrivals = await Arrivals.of(bed.destination, path, addedName);
  return {
    create: async (prefix, count) => {
      const services = names(prefix, count);
      const beganMs = performance.now();
      const created = each(services, AT_ONCE, (name) =>
        bed.source.send("POST", path, service(name, label)),
      );
      const endedMs = await arrivals.all(services);
      await created;
      return endedMs - beganMs;
    },
  };
}

/** Services and their slices are there before; the labels come all at once. @returns ms until the last of the three kinds */
async function labelledAtOnce(bed: Bed, namespace: string, count: number): Promise<number> {
  const services = names("full", count);
  const path = servicesOf(namespace);
  await each(services.entries(), AT_ONCE, async ([index, name]) => {
    await bed.source.send("POST", path, service(name));
    await bed.source.send("POST", slicesOf(namespace), slice(name, index * 10, 10));
  });
  const slices = await Arrivals.of(bed.destination, slicesOf(namespace), shownBySlice);
  const endpoints = await Arrivals.of(bed.destination, endpointsOf(namespace), shownByEndpoints);
  const signs = services.map((name, index) => shown(name, addresses(index * 10, 10)));
  const beganMs = performance.now();
  const labelled = each(services, AT_ONCE, (name) =>
    bed.source.send("PATCH", `${path}/${name}`, { metadata: { labels: FERRY_LABEL } }),
  );
  const endedMs = Math.max(...(await Promise.all([slices.all(signs), endpoints.all(signs)])));
  await labelled;
  return endedMs - beganMs;
}
