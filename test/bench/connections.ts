import { startFaultProxy } from "../harness/fault-proxy.js";
import { each } from "./api.js";
import { addedName, Arrivals } from "./arrivals.js";
import { type Bed, FERRY_LABEL } from "./bed.js";
import { type Counts, grouped } from "./counts.js";
import { names, service, servicesOf } from "./objects.js";
import { limitRow, type Row } from "./row.js";

/** Requests at once (--max-connections), four watches, and three that ask who the cluster is (decision 0011). */
const MAX_CONNECTIONS = 16 + 4 + 3;

/** TLS connections that the destination sees while so many calls are made, counted by a TCP proxy in between. */
export async function connections(bed: Bed, { burst }: Counts): Promise<readonly Row[]> {
  const namespace = await bed.namespace("bench-connections");
  const { hostname, port } = new URL(bed.destinationUrl);
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) });
  const replica = bed.ferry(namespace, [], proxy.url);
  await replica.idle();
  const arrivals = await Arrivals.of(bed.destination, servicesOf(namespace), addedName);
  const services = names("svc", burst);
  const before = await replica.metric("svc_ferry_api_requests_total");
  await each(services, 32, (name) =>
    bed.source.send("POST", servicesOf(namespace), service(name, FERRY_LABEL)),
  );
  await arrivals.all(services);
  await replica.idle();
  const calls = (await replica.metric("svc_ferry_api_requests_total")) - before;
  const { accepted } = proxy;
  await replica.stop();
  await proxy.close();
  const what = `TLS connections opened to the destination, the start and ${grouped(calls)} calls included`;
  return [limitRow({ part: "connections", what, unit: "connections" }, accepted, MAX_CONNECTIONS)];
}
