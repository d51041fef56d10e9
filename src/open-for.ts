/** Clusters for one command: connections of its own, errors of credentials to standard error. */
import type { Config } from "./config/config.js";
import { processEnvironment } from "./config/load.js";
import { openCluster, type OpenCluster } from "./kube/open-cluster.js";
import { SystemClock } from "./runtime/system-clock.js";
import { SystemRandom } from "./runtime/system-random.js";
import { Logger } from "./telemetry/logger.js";
import { VERSION } from "./version.js";

/** A command asks a few things at once; more would compete with the replicas for the API server. */
const MAX_CONNECTIONS = 6;

/** Which command, and where its complaints go. */
export interface Asker {
  /** In the User-Agent, so that audit logs tell it from replicas. */
  readonly command: string;
  readonly stderr: (line: string) => unknown;
}

/** @throws TerminalError FERRY-K005 when the kubeconfig cannot be read or has no such context */
export async function openFor(
  { command, stderr }: Asker,
  { name, access }: Config["source"],
): Promise<OpenCluster> {
  const clock = new SystemClock();
  const options = {
    name,
    access,
    maxConnections: MAX_CONNECTIONS,
    version: VERSION,
    comment: command,
  };
  const sink = { write: (line: string): void => void stderr(line) };
  const log = new Logger({ format: "human", level: "warn", podName: command, clock, sink });
  return openCluster(options, {
    clock,
    log,
    random: new SystemRandom(),
    env: processEnvironment(),
  });
}
