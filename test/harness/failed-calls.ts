import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ControlPlane } from "../controlplane/control-plane.js";

/**
 * What an API server's log says of calls to webhooks that failed, one line each: its metrics count them and do not say why.
 */
export function failedCalls({ dataDir }: ControlPlane): readonly string[] {
  return readFileSync(join(dataDir, "kube-apiserver.log"), "utf8")
    .split("\n")
    .filter((line) => /failed calling webhook/i.test(line));
}
