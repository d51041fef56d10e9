/** One link at work, as the process drives it: what `Mirror` offers. */
import type { ApiWriter } from "../api/api-writer.js";
import type { Encryption } from "../encryption/transformer.js";
import type { Etcd } from "../etcd/etcd.js";
import type { Ruleset } from "../rules/ruleset.js";
import type { MirrorStatus } from "../status/mirror-status.js";

export interface LinkRunner {
  /** As it is now; made anew at each look. */
  readonly status: MirrorStatus;
  /**
   * Until `signal` aborts: waits for the fence, copies, follows. Then: no new work → writes in flight end → the checkpoint is
   * written → the fence is given back.
   * @throws what no retry mends, and a person has to decide
   */
  run(signal: AbortSignal): Promise<void>;
  /** Other rules, from now on. undefined: none; nothing more is written, and nothing is removed. */
  useRules(rules: Ruleset | undefined): void;
  /** A person has said that the deletions which the brake holds are meant so. */
  releaseBrake(): void;
}

/** What a runner is made with beside the configuration. */
export interface LinkRunnerParts {
  readonly source: Etcd;
  readonly destination: Etcd;
  /** undefined: no way to the destination's API server. */
  readonly api: ApiWriter | undefined;
  readonly sourceEncryption: Encryption;
  readonly destinationEncryption: Encryption;
  /** undefined: no rules: nothing is written, and nothing is deleted. */
  readonly rules: Ruleset | undefined;
}
