/**
 * The bare minimum that everything is compared with: raw watches, one raw POST for each Service that appears, one raw PATCH of
 * slice and Endpoints for each slice that changes, over as many keep-alive connections as svc-ferry uses. No cache, no
 * comparison, no log, no retries, no leader: whatever svc-ferry takes longer is the price of what it does.
 */
import { readFileSync } from "node:fs";
import { type Access, Api } from "./api.js";
import { endpointsOf, service, servicesOf, slicesOf, subsets } from "./objects.js";

/** What the file named on the command line holds. */
export interface RawWriterConfig {
  readonly source: Access;
  readonly destination: Access;
  readonly namespace: string;
  /** `key=value`. */
  readonly labelSelector: string;
  readonly connections: number;
}

const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RawWriterConfig;
const source = new Api(config.source, 1);
const destination = new Api(config.destination, config.connections);
const path = servicesOf(config.namespace);
const query = `labelSelector=${encodeURIComponent(config.labelSelector)}`;

interface RawSlice {
  readonly metadata: { readonly name: string };
  readonly endpoints: readonly {
    readonly addresses: readonly [string];
    readonly conditions: object;
  }[];
}

await source.watch(slicesOf(config.namespace), "", ({ type, object }) => {
  if (type !== "MODIFIED") return;
  const { metadata, endpoints } = object as unknown as RawSlice;
  const addresses = endpoints.map((endpoint) => endpoint.addresses[0]);
  // What means something elsewhere: a mirror without conditions would be another object for the servers.
  const bare = endpoints.map((endpoint) => ({
    addresses: endpoint.addresses,
    conditions: endpoint.conditions,
  }));
  const { name } = metadata;
  const patch = (of: string, to: string, body: object): unknown =>
    destination.send("PATCH", `${of}/${to}`, body);
  patch(slicesOf(config.namespace), name, { endpoints: bare });
  patch(endpointsOf(config.namespace), name.replace(/-1$/, ""), { subsets: subsets(addresses) });
});
await source.watch(path, query, ({ type, object }) => {
  if (type === "ADDED") void destination.send("POST", path, service(object.metadata.name));
});
process.stdout.write("watching\n");
