import type { Digest } from "../domain/slice.js";
import type { Clock } from "../ports/clock.js";
import type { KubeApi } from "../ports/kube-api.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import type { WatchObserver } from "../watch/reflector-options.js";

/** What every cache of one cluster's objects works with. */
export interface CacheParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly digest: Digest;
  readonly observe: (resource: string) => WatchObserver;
}
