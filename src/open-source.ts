/** The source for one command: a connection of its own, errors of credentials to standard error. */
import type { CertsConfig } from "./config/certs-config.js";
import { processEnvironment } from "./config/load.js";
import { openCluster, type OpenCluster } from "./kube/open-cluster.js";
import { SystemClock } from "./runtime/system-clock.js";
import { SystemRandom } from "./runtime/system-random.js";
import { Logger } from "./telemetry/logger.js";
import { VERSION } from "./version.js";

/** A command asks three things at once at most. */
const MAX_CONNECTIONS = 3;

/** @throws TerminalError FERRY-K005 when the kubeconfig cannot be read or has no such context */
export async function openSource(
  { name, access }: CertsConfig["source"],
  stderr: (line: string) => unknown,
): Promise<OpenCluster> {
  const clock = new SystemClock();
  const options = {
    name,
    access,
    maxConnections: MAX_CONNECTIONS,
    version: VERSION,
    comment: "certs",
  };
  const sink = { write: (line: string): void => void stderr(line) };
  const log = new Logger({ format: "human", level: "warn", podName: "certs", clock, sink });
  return openCluster(options, {
    clock,
    log,
    random: new SystemRandom(),
    env: processEnvironment(),
  });
}
