/**
 * What the mirror's `/status` answers and `svc-ferry mirror status` prints. Part of the API: fields are only added, never
 * renamed. Moments are RFC 3339 in UTC, revisions decimal text (they may be larger than what JSON's numbers hold exactly).
 */
export interface MirrorStatusReport {
  readonly apiVersion: "svc-ferry.io/cli/v1";
  readonly kind: "MirrorStatusReport";
  /** When the report was made; ages count from here. */
  readonly time: string;
  readonly version: string;
  readonly podName: string;
  readonly link: string;
  readonly mode: "standalone" | "active-standby";
  readonly ready: boolean;
  /** What keeps it from being ready, each a few words. */
  readonly waitingFor: readonly string[];
  /**
   * `starting` until the etcds have said who they are, then: `waiting` for the fence, `loading` the books, `copying`,
   * `following`, `sealed`, `no-rules`, `stopped`.
   */
  readonly activity: string;
  /** The state key's: copy, tail, sealed; undefined before it was read. */
  readonly phase?: string | undefined;
  /** How it writes: `live` beside an API server, `cold` without one. */
  readonly writes: "live" | "cold";
  /** Source, then destination: whether they answer. */
  readonly etcds: readonly EtcdSideReport[];
  readonly fence: {
    readonly held: boolean;
    readonly holder?: string | undefined;
    readonly trouble?: string | undefined;
  };
  readonly revisionRead?: string | undefined;
  readonly revisionApplied?: string | undefined;
  /** Revisions of the source that were read and are not applied. */
  readonly lagRevisions: number;
  /** Age of the oldest change that was read and is not applied, or of the last word of a source that is silent; 0 when there is neither. */
  readonly lagSeconds: number;
  /**
   * For how long the oldest object waits that goes through the destination's API server, while what is written raw goes on; 0: none
   * does.
   */
  readonly apiLagSeconds: number;
  readonly owned: number;
  readonly rules: readonly { readonly label: string; readonly owned: number }[];
  readonly rulesHash?: string | undefined;
  /** By reason, none with 0. */
  readonly debts: Readonly<Record<string, number>>;
  readonly refused: readonly {
    readonly path: string;
    readonly code: string;
    readonly detail?: string | undefined;
    readonly since: string;
  }[];
  readonly pass?: MirrorPassReport | undefined;
  /** Passes that ended, by cause, none with 0. */
  readonly passes: Readonly<Record<string, number>>;
  readonly destinationTooSlow: boolean;
  /** Objects a second; only where the destination is too slow. */
  readonly rates?:
    { readonly sourcePerSecond: number; readonly destinationPerSecond: number } | undefined;
  readonly conflicts: Readonly<Record<"skipped" | "adopted", number>>;
  readonly drift: Readonly<Record<"repaired" | "reported" | "touched", number>>;
  readonly brake: {
    readonly engaged: boolean;
    readonly causes: readonly string[];
    readonly held: number;
  };
  readonly transactions: Readonly<
    Record<"succeeded" | "conflicted" | "failed" | "unknown", number>
  >;
  readonly objects: Readonly<Record<"put" | "deleted" | "ledgerOnly", number>>;
  readonly bytesWritten: number;
  /** The writer stands still and tries again; undefined: it goes on. */
  readonly paused?: { readonly why: string; readonly message: string; readonly since: string };
  /** Files whose newest content could not be taken: what was there before is in force. */
  readonly rejectedFiles: readonly RejectedFile[];
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: string };
}

/** One side's etcd as a whole, asked every few seconds. */
export interface EtcdSideReport {
  readonly name: "source" | "destination";
  /** The last question was answered. */
  readonly connected: boolean;
  /** When one was answered last; undefined: none was yet. */
  readonly lastContact?: string | undefined;
  /** Kind of the error with which the last question failed. */
  readonly trouble?: string | undefined;
}

/** A pass over the whole source, while it runs. */
export interface MirrorPassReport {
  readonly cause: string;
  readonly startRevision: string;
  readonly read: number;
  readonly matched: number;
  readonly written: number;
  readonly bytes: number;
  /** undefined: not counted. */
  readonly expected?: number | undefined;
  readonly startedAt: string;
}

/** A file that changed and whose new content is not valid. */
export interface RejectedFile {
  readonly path: string;
  /** One line for each thing that is wrong. */
  readonly problems: readonly string[];
  readonly since: string;
}
