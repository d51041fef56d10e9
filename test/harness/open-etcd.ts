import { readFile } from "node:fs/promises";
import { type EtcdDeps, openEtcd } from "../../sidecar/etcd/client.js";
import type { Etcd } from "../../sidecar/etcd/etcd.js";
import { ETCD_DEFAULTS, type EtcdOptions } from "../../sidecar/etcd/options.js";
import { SystemClock } from "../../src/runtime/system-clock.js";
import { SystemRandom } from "../../src/runtime/system-random.js";
import { SILENT_LOG } from "../fakes/silent-log.js";

/** The real adapter with real time, on one endpoint or several. */
export async function openRealEtcd(
  endpoints: string | readonly string[],
  options: Partial<EtcdOptions> = {},
  deps: Partial<EtcdDeps> = {},
): Promise<Etcd> {
  const all = typeof endpoints === "string" ? [endpoints] : endpoints;
  return openEtcd(
    { ...ETCD_DEFAULTS, name: "source", endpoints: all, ...options },
    { clock: new SystemClock(), random: new SystemRandom(), log: SILENT_LOG, readFile, ...deps },
  );
}
