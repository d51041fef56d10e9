/** One link at work, from the fence to the tail, as the process drives it. */
import type { ApiWriter } from "../api/api-writer.js";
import type { Encryption } from "../encryption/transformer.js";
import type { Etcd } from "../etcd/etcd.js";
import type { Ruleset } from "../rules/ruleset.js";
import type { MirrorStatus } from "../status/mirror-status.js";

/** What files say, and may say otherwise at any time. */
export interface LinkInputs {
  /** undefined: no rules: nothing is written, and nothing is deleted. */
  readonly rules: Ruleset | undefined;
  readonly sourceEncryption: Encryption;
  readonly destinationEncryption: Encryption;
}

export interface LinkRunner {
  /** As it is now; made anew at each look. */
  readonly status: MirrorStatus;
  /**
   * Until `signal` aborts: waits for the fence, copies, follows. Then: no new work → writes in flight end → the checkpoint is
   * written → the fence is given back.
   * @throws what no retry mends: books of a newer version, an occupied name with `--on-conflict=fail`, an exchanged cluster
   */
  run(signal: AbortSignal): Promise<void>;
  /** From now on this is in force. Resolves when new events are judged by it; a pass follows by itself. */
  reload(inputs: LinkInputs): Promise<void>;
}

/** What a runner is made with beside the configuration. */
export interface LinkRunnerParts {
  readonly source: Etcd;
  readonly destination: Etcd;
  /** undefined: no way to the destination's API server. */
  readonly api: ApiWriter | undefined;
  readonly inputs: LinkInputs;
}
