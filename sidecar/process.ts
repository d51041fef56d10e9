import { inject, injectable } from "tsyringe";
import { MirrorConfig } from "../src/config/mirror-config.js";
import { AdminServer } from "../src/telemetry/admin-server.js";
import { LinkBooks } from "./commands/link-books.js";
import { warnOfRoom } from "./doctor/room-warning.js";
import { whyNotBoth } from "./etcd/capability.js";
import type { Etcd, EtcdError } from "./etcd/etcd.js";
import { isProgressTrusted } from "./etcd/progress-trust.js";
import { EtcdUnsuitable, untilIntroduced, type Introduction } from "./etcd/introduction.js";
import { compactWhereNobodyDoes } from "./link/compaction.js";
import { Keyspace } from "./link/keyspace.js";
import { followRequests } from "./link/requests.js";
import { startAt } from "./link/start-revision.js";
import { MirrorFiles, type FileInputs } from "./mirror-files.js";
import { MirrorParts } from "./mirror-parts.js";
import { MirrorState } from "./mirror-state.js";
import { tellProgress, type ProgressParts } from "./status/progress.js";
import { MirrorSurroundings } from "./surroundings.js";
import { watchSides } from "./watch-sides.js";

const OK = 0;
const FAILED = 1;
/** As for settings: what was written is wrong. */
const WRONG_FILES = 2;

export interface RunOptions {
  readonly version: string;
  readonly warnings: readonly string[];
  /** Where progress is shown; undefined: in the log. */
  readonly terminal: ProgressParts["terminal"];
}

/**
 * Start and stop order, with the reasons.
 *
 * 1. The port: /healthz must answer before anything can fail.
 * 2. Rules and keys of encryption: what is wrong in files is told at once, whether an etcd answers or not.
 * 3. Both etcds say who they are and show what they can do: nothing is believed of a stranger, and nothing is written there.
 * 4. The link: it takes the fence, and goes by its books only after that; then a pass, then the tail. Beside it files are looked at.
 *
 * Stop: no new work → writes in flight end → the checkpoint → the fence is given back, so that another replica takes over at
 * once (all this is the link's) → connections close → the port last, so that /healthz tells the truth until then.
 */
@injectable()
export class MirrorProcess {
  constructor(
    @inject(MirrorConfig) private readonly config: MirrorConfig,
    @inject(MirrorSurroundings) private readonly around: MirrorSurroundings,
    @inject(MirrorParts) private readonly parts: MirrorParts,
    @inject(MirrorState) private readonly state: MirrorState,
    @inject(AdminServer) private readonly admin: AdminServer,
  ) {}

  /**
   * Runs until `signal` aborts. Resolves with the exit code: 0 after a stop in good order, 1 when it could not start or go on, 2
   * when a file that it cannot do without is wrong.
   */
  async run(signal: AbortSignal, options: RunOptions): Promise<number> {
    const { log } = this.around;
    const { version, warnings } = options;
    this.state.begin(version);
    const { link, mode, source, destination } = this.config;
    const [from, to] = [source.endpoints, destination.endpoints];
    log.info({ version, link, mode, source: from, destination: to }, "starting");
    for (const text of warnings) log.warn({ text }, "configuration warning");
    try {
      await this.admin.start(signal);
      const exitCode = await this.#withFiles(signal, options);
      log.info({}, "stopped");
      return exitCode;
    } catch (error) {
      log.error({ err: error }, "cannot go on");
      return FAILED;
    } finally {
      await this.admin.stop();
    }
  }

  async #withFiles(signal: AbortSignal, options: RunOptions): Promise<number> {
    const { clock, log } = this.around;
    const files = new MirrorFiles({ config: this.config, parts: this.parts, clock, log });
    const loaded = await files.load();
    if (loaded.kind === "invalid") {
      for (const text of loaded.problems) log.error({ text }, "file is not valid");
      return WRONG_FILES;
    }
    this.state.files(files.all);
    return this.#withEtcds(signal, { files, inputs: loaded.inputs, options });
  }

  async #withEtcds(signal: AbortSignal, work: Work): Promise<number> {
    const opened: Etcd[] = [];
    try {
      const source = await this.parts.openEtcd(this.config.source);
      opened.push(source);
      const destination = await this.parts.openEtcd(this.config.destination);
      opened.push(destination);
      const known = await this.#introduced({ source, destination }, signal);
      if (known !== undefined) await this.#link({ source, destination }, work, signal);
      return OK;
    } finally {
      for (const etcd of opened) await etcd.close();
    }
  }

  /** undefined: aborted meanwhile. @throws EtcdUnsuitable */
  async #introduced(
    { source, destination }: Etcds,
    signal: AbortSignal,
  ): Promise<readonly Introduction[] | undefined> {
    const [from, to] = await Promise.all([
      this.#introduce("source", source, signal),
      this.#introduce("destination", destination, signal),
    ]);
    if (from === undefined || to === undefined) return undefined;
    const why = whyNotBoth(
      { clusterId: from.clusterId, prefix: `${this.config.source.kubePrefix}/` },
      { clusterId: to.clusterId, prefix: `${this.config.destination.kubePrefix}/` },
    );
    if (why !== undefined) throw new EtcdUnsuitable(why);
    return [from, to];
  }

  async #introduce(
    name: "source" | "destination",
    etcd: Etcd,
    signal: AbortSignal,
  ): Promise<Introduction | undefined> {
    const { clock, log } = this.around;
    const onTrouble = (error: EtcdError): void => {
      this.state.side(name, error.kind);
      log.warn({ etcd: name, code: error.kind, err: error }, "etcd not reached, trying again");
    };
    const known = await untilIntroduced(etcd, { role: name, clock, onTrouble }, signal);
    if (known === undefined) return undefined;
    this.state.side(name, undefined);
    const cluster = known.clusterId.toString(16);
    log.info({ etcd: name, cluster, version: known.version }, "connected to an etcd");
    if (name === "source" && !isProgressTrusted(known.version)) {
      const text =
        "its word of progress is not believed: while nothing changes there, the checkpoint stands still";
      log.warn({ etcd: name, version: known.version, text }, "old etcd");
    }
    return known;
  }

  async #link(etcds: Etcds, { files, inputs, options }: Work, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.around;
    await this.#startAt({ ...etcds, rules: inputs.rules, clock }, signal);
    const api = await this.parts.openApi();
    const link = this.parts.makeLink({ ...etcds, api: api?.writer, ...inputs });
    this.state.attach(link);
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const status = (): typeof link.status => link.status;
    const keys = new Keyspace(this.config.link);
    const beside = Promise.all([
      files.follow(inputs, (rules) => link.useRules(rules), until),
      followRequests({ etcd: etcds.destination, keys, link, clock, log }, until),
      tellProgress({ clock, log, status, terminal: options.terminal }, until),
      watchSides(
        { ...etcds, clock, told: (name, trouble) => this.state.side(name, trouble) },
        until,
      ),
      this.#compact(etcds.destination, () => link.status.fence.held, until),
      this.#warnOfRoom(etcds, inputs, until),
    ]);
    // A defect beside the link ends it in good order as well.
    const failed = new AbortController();
    beside.catch(() => failed.abort());
    try {
      await link.run(AbortSignal.any([signal, failed.signal]));
    } finally {
      over.abort();
      await beside;
      await api?.close();
      inputs.sourceEncryption.close();
      inputs.destinationEncryption.close();
    }
  }

  async #warnOfRoom(
    { source, destination }: Etcds,
    { rules, sourceEncryption: encryption }: FileInputs,
    signal: AbortSignal,
  ): Promise<void> {
    if (rules === undefined) return;
    const { clock, log } = this.around;
    const books = new LinkBooks(destination, this.config.link);
    const { kubePrefix: sourcePrefix } = this.config.source;
    await warnOfRoom({ source, sourcePrefix, encryption, rules, books, clock, log }, signal);
  }

  /** `--rev`. @throws LinkRefused */
  async #startAt(
    parts: Etcds & Pick<FileInputs, "rules"> & Pick<MirrorSurroundings, "clock">,
    signal: AbortSignal,
  ): Promise<void> {
    const { startRevision, link } = this.config;
    if (startRevision === 0n) return;
    await startAt(startRevision, { ...parts, keys: new Keyspace(link) }, signal);
    const revision = startRevision.toString();
    this.around.log.warn({ revision }, "the watch begins here, nothing older is copied");
  }

  async #compact(etcd: Etcd, isHolder: () => boolean, signal: AbortSignal): Promise<void> {
    if (!this.config.writing.compaction) return;
    const { clock, log } = this.around;
    const { kubePrefix } = this.config.destination;
    await compactWhereNobodyDoes({ etcd, kubePrefix, clock, log, isHolder }, signal);
  }
}

interface Etcds {
  readonly source: Etcd;
  readonly destination: Etcd;
}

interface Work {
  readonly files: MirrorFiles;
  readonly inputs: FileInputs;
  readonly options: RunOptions;
}
