import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { Random } from "../../src/ports/random.js";
import type { ApiWriter } from "../api/api-writer.js";
import type { Encryption } from "../encryption/transformer.js";
import type { Etcd } from "../etcd/etcd.js";
import type { Ruleset } from "../rules/ruleset.js";
import type { LinkPolicy } from "./policy.js";

/** What one mirror works with. Files are read, and watched, by whoever makes it. */
export interface MirrorOptions {
  /** See isLinkName. */
  readonly link: string;
  /** What others are told when they wait for the fence: pod and process. */
  readonly identity: string;
  readonly source: Etcd;
  readonly destination: Etcd;
  /** As `--kube-prefix` has it. */
  readonly sourcePrefix: string;
  readonly destinationPrefix: string;
  readonly sourceEncryption: Encryption;
  readonly destinationEncryption: Encryption;
  /** undefined: none; nothing is written and nothing is removed until there are some. */
  readonly rules: Ruleset | undefined;
  readonly policy: LinkPolicy;
  /** undefined: no way to the destination's API server. */
  readonly api: ApiWriter | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of the fence's lease; default 10. */
  readonly ttlSeconds?: number;
}
