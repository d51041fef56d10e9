import { addedName, Arrivals } from "./arrivals.js";
import { type Bed, FERRY_LABEL } from "./bed.js";
import { service, servicesOf } from "./objects.js";
import { limitRow, type Row } from "./row.js";

const LEASE_SECONDS = 3;
const LEASE = [
  "--lease-duration",
  `${LEASE_SECONDS}s`,
  "--renew-deadline",
  "2s",
  "--retry-period",
  "500ms",
];

/** From the SIGKILL of the leader until a Service that is created at that moment is mirrored by the other replica. */
export async function takeOver(bed: Bed, namespace: string, world: string): Promise<Row> {
  const leader = bed.ferry(namespace, LEASE);
  await leader.idle();
  const follower = bed.ferry(namespace, LEASE);
  await follower.ready();
  const arrivals = await Arrivals.of(bed.destination, servicesOf(namespace), addedName);
  const killedMs = performance.now();
  leader.kill();
  await bed.source.send("POST", servicesOf(namespace), service("after-the-kill", FERRY_LABEL));
  const tookMs = (await arrivals.all(["after-the-kill"])) - killedMs;
  await follower.stop();
  const what = `leader killed → a new Service mirrored by the other replica, lease of ${LEASE_SECONDS} s, ${world}`;
  return limitRow({ part: "large", what, unit: "s" }, tookMs / 1_000, LEASE_SECONDS + 1);
}
