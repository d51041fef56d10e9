import { each } from "./api.js";
import { type Bed, FERRY_LABEL } from "./bed.js";
import { type Counts, grouped } from "./counts.js";
import { names, service, servicesOf, slice, slicesOf } from "./objects.js";
import { exactRow, limitRow, type Row } from "./row.js";
import { memory } from "./start.js";
import { median } from "./statistics.js";
import { takeOver } from "./take-over.js";

const AT_ONCE = 32;
const ENDPOINTS = 10;
const MAX_RSS_MIB = 150;
const NAMESPACE = "bench-large";

/** A large world: what it costs to hold it, to look at all of it again, and to take it over. */
export async function large(bed: Bed, counts: Counts): Promise<readonly Row[]> {
  const { services, memorySamples } = counts;
  await bed.namespace(NAMESPACE);
  await create(bed, "svc", services, FERRY_LABEL);
  const world = `${grouped(services)} Services, ${grouped(services * ENDPOINTS)} endpoints`;
  const rss = async (replica: Parameters<typeof memory>[0], when: string): Promise<Row> => {
    const what = `RSS with ${world}${when}`;
    const samples = await memory(replica, memorySamples);
    return limitRow({ part: "large", what, unit: "MiB" }, median(samples), MAX_RSS_MIB);
  };

  const first = bed.ferry(NAMESPACE);
  const copiedMs = await first.idle();
  const afterCopy = await rss(first, ", after mirroring them all");
  await first.stop();

  const mark = bed.audit.mark();
  const again = bed.ferry(NAMESPACE, ["--sweep-interval", "5s"]);
  const comparedMs = await again.idle();
  await again.idle(3);
  const needless = bed.audit.writesSince(mark).length;
  const afterRestart = await rss(again, ", after a restart");
  await again.stop();

  await create(bed, "other", services, {});
  const beside = bed.ferry(NAMESPACE);
  await beside.idle();
  const withOthers = await rss(beside, ` and as many unlabelled beside`);
  await beside.stop();

  const part = "large";
  return [
    limitRow({ part, what: `first copy of ${world}`, unit: "s" }, copiedMs / 1_000),
    afterCopy,
    afterRestart,
    withOthers,
    limitRow(
      { part, what: "restart with everything there → everything compared", unit: "s" },
      comparedMs / 1_000,
    ),
    exactRow(part, "writes of a restart and 3 sweeps of the unchanged world", needless, 0),
    await takeOver(bed, NAMESPACE, world),
  ];
}

async function create(
  bed: Bed,
  prefix: string,
  count: number,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  await each(names(prefix, count).entries(), AT_ONCE, async ([index, name]) => {
    await bed.source.send("POST", servicesOf(NAMESPACE), service(name, labels));
    await bed.source.send("POST", slicesOf(NAMESPACE), slice(name, index * ENDPOINTS, ENDPOINTS));
  });
}
