/**
 * The bare minimum that everything is compared with: one raw watch, one raw POST for each Service that appears in it,
 * over as many keep-alive connections as svc-ferry uses. No cache, no comparison, no log, no endpoints, no retries, no
 * leader: whatever svc-ferry takes longer is the price of what it does.
 */
import { readFileSync } from "node:fs";
import { type Access, Api } from "./api.js";
import { service, servicesOf } from "./objects.js";

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

await source.watch(path, query, ({ type, object }) => {
  if (type === "ADDED") void destination.send("POST", path, service(object.metadata.name));
});
process.stdout.write("watching\n");
