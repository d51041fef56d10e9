/** What `svc-ferry mirror …` asks of the etcds: opens what a command needs, does one thing, and closes it again. */
import type { MirrorConfig, MirrorLinkConfig } from "../src/config/mirror-config.js";
import type { Clock } from "../src/ports/clock.js";
import type { DoctorAnswer, DoctorQuestion } from "../src/ports/doctor-report.js";
import type { Log } from "../src/ports/log.js";
import type {
  DrainAnswer,
  Finding,
  LeaveAnswer,
  LeaveHow,
  MirrorCannot,
  PlannedKey,
  PlanSummary,
  PromoteAnswer,
  ReleaseBrakeAnswer,
  ResumeAnswer,
  VerifySummary,
} from "../src/ports/mirror-answers.js";
import { cannot, cannotBecause } from "./commands/cannot.js";
import { drain } from "./commands/drain.js";
import { leave } from "./commands/leave.js";
import { LinkBooks } from "./commands/link-books.js";
import { plan, type Planning } from "./commands/plan.js";
import { promote } from "./commands/promote.js";
import { releaseBrake } from "./commands/release-brake.js";
import { resume } from "./commands/resume.js";
import { verify } from "./commands/verify.js";
import { examineMirror, type MirrorDoctorParts } from "./mirror-doctor.js";
import type { Etcd } from "./etcd/etcd.js";
import { introduce } from "./etcd/introduction.js";
import { KubePrefix } from "./link/keyspace.js";
import { MirrorFiles } from "./mirror-files.js";
import type { MirrorParts } from "./mirror-parts.js";
import { REHEARSED_API } from "./rehearsal/rehearsed-api.js";

export interface MirrorCommandsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For one command: with the whole configuration, or that of the destination. */
  readonly parts: (config: MirrorLinkConfig | MirrorConfig) => MirrorParts;
  /** Of svc-ferry. */
  readonly version: string;
  readonly inspect: MirrorDoctorParts["inspect"];
  readonly run: (config: MirrorConfig, warnings: readonly string[]) => Promise<number>;
}

type Etcds = readonly [source: Etcd, destination: Etcd];

export class MirrorCommands {
  /** Commands end by themselves, or with the process: nothing that they begin is left half done by that. */
  readonly #signal = new AbortController().signal;

  constructor(private readonly options: MirrorCommandsOptions) {}

  run(config: MirrorConfig, warnings: readonly string[]): Promise<number> {
    return this.options.run(config, warnings);
  }

  plan(config: MirrorConfig, show: (key: PlannedKey) => void): Promise<PlanSummary | MirrorCannot> {
    return this.#rehearsing(config, (planning) => plan(planning, show, this.#signal));
  }

  /** Opens what it needs by itself: that an etcd does not answer is one of its findings. */
  doctor(
    config: MirrorConfig,
    question: Pick<DoctorQuestion, "only" | "skip" | "waitMs">,
  ): Promise<DoctorAnswer> {
    const { clock, log, version, inspect } = this.options;
    const parts = this.options.parts(config);
    return examineMirror({ config, parts, clock, log, version, inspect }, question, this.#signal);
  }

  verify(
    config: MirrorConfig,
    waitMs: number,
    show: (finding: Finding) => void,
  ): Promise<VerifySummary | MirrorCannot> {
    return this.#rehearsing(config, (planning, books) =>
      verify({ ...planning, books, waitMs }, show, this.#signal),
    );
  }

  drain(config: MirrorConfig, waitMs: number): Promise<DrainAnswer> {
    return this.#withBoth(config, async ([source, destination]) => {
      const books = new LinkBooks(destination, config.link);
      const { clock } = this.options;
      const sourcePrefix = new KubePrefix(config.source.kubePrefix).prefix;
      return drain({ source, sourcePrefix, books, clock, waitMs }, this.#signal);
    });
  }

  promote(config: MirrorLinkConfig): Promise<PromoteAnswer> {
    const { clock } = this.options;
    return this.#withBooks(config, (books) =>
      promote({ books, clock, by: config.podName }, this.#signal),
    );
  }

  resume(config: MirrorLinkConfig): Promise<ResumeAnswer> {
    return this.#withBooks(config, (books) => resume(books, this.#signal));
  }

  leave(config: MirrorLinkConfig, how: LeaveHow): Promise<LeaveAnswer> {
    const { clock, log } = this.options;
    const { kubePrefix } = config.destination;
    const identity = `${config.podName}/leave`;
    return this.#withBooks(config, (books) =>
      leave({ books, clock, log, kubePrefix, identity, how }, this.#signal),
    );
  }

  releaseBrake(config: MirrorLinkConfig): Promise<ReleaseBrakeAnswer> {
    return this.#withBooks(config, (books) => releaseBrake(books, config.podName, this.#signal));
  }

  /** With the files as they are now, and both etcds introduced. */
  async #rehearsing<T>(
    config: MirrorConfig,
    act: (planning: Planning, books: LinkBooks) => Promise<T>,
  ): Promise<T | MirrorCannot> {
    const { clock, log } = this.options;
    // As fast as it goes, one object after the other: nothing is written.
    const writing = { ...config.writing, cold: false, maxWritesPerSecond: undefined };
    const parts = this.options.parts({ ...config, writing });
    const files = new MirrorFiles({ config, parts, clock, log });
    const loaded = await files.load();
    if (loaded.kind === "invalid") {
      return cannot(loaded.problems.join("; "), "correct what these files say");
    }
    const { inputs } = loaded;
    const api = config.destinationApi === undefined ? undefined : REHEARSED_API;
    try {
      return await this.#withBoth(config, async ([source, destination]) => {
        const books = new LinkBooks(destination, config.link);
        const state = (await books.state({ signal: this.#signal }))?.state;
        const planning: Planning = {
          link: config.link,
          destinationPrefix: config.destination.kubePrefix,
          parts: { source, destination, api, ...inputs },
          makeLink: (one) => parts.makeLink(one),
          clock,
          state,
        };
        return act(planning, books);
      });
    } finally {
      inputs.sourceEncryption.close();
      inputs.destinationEncryption.close();
    }
  }

  #withBoth<T>(config: MirrorConfig, act: (etcds: Etcds) => Promise<T>): Promise<T | MirrorCannot> {
    const parts = this.options.parts(config);
    return answered(async () => {
      const source = await parts.openEtcd(config.source);
      try {
        const destination = await parts.openEtcd(config.destination);
        try {
          await introduce(source, "source", this.#signal);
          await introduce(destination, "destination", this.#signal);
          return await act([source, destination]);
        } finally {
          await destination.close();
        }
      } finally {
        await source.close();
      }
    });
  }

  #withBooks<T>(
    config: MirrorLinkConfig,
    act: (books: LinkBooks) => Promise<T>,
  ): Promise<T | MirrorCannot> {
    const parts = this.options.parts(config);
    return answered(async () => {
      const destination = await parts.openEtcd(config.destination);
      try {
        await introduce(destination, "destination", this.#signal);
        return await act(new LinkBooks(destination, config.link));
      } finally {
        await destination.close();
      }
    });
  }
}

/** What went wrong in a way that people can do something about is an answer. */
async function answered<T>(act: () => Promise<T>): Promise<T | MirrorCannot> {
  try {
    return await act();
  } catch (error) {
    const answer = cannotBecause(error);
    if (answer === undefined) throw error;
    return answer;
  }
}
