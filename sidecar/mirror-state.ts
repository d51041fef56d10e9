/** What `/ready`, `/status` and `/metrics` are told: by the process until there is a link, by the link from then on. */
import { inject, injectable } from "tsyringe";
import { MirrorConfig } from "../src/config/mirror-config.js";
import { Clock } from "../src/ports/clock.js";
import type { Readiness } from "../src/ports/health.js";
import type { MirrorStatusReport, RejectedFile } from "../src/ports/mirror-report.js";
import type { LinkRunner } from "./link/link-runner.js";
import type { MirrorStatus } from "./status/mirror-status.js";
import { readiness, statusReport, type ReportParts } from "./status/status-report.js";

@injectable()
export class MirrorState {
  #link: LinkRunner | undefined;
  #version = "";
  #files: readonly { readonly rejected: RejectedFile | undefined }[] = [];
  /** By side: why it has not said who it is yet. */
  readonly #troubles = new Map<string, string>();

  constructor(
    @inject(MirrorConfig) private readonly config: MirrorConfig,
    @inject(Clock) private readonly clock: Clock,
  ) {}

  begin(version: string): void {
    this.#version = version;
    this.#troubles.set("source", "the source").set("destination", "the destination");
  }

  /** @param trouble undefined: it has said who it is */
  side(name: "source" | "destination", trouble: string | undefined): void {
    if (trouble === undefined) this.#troubles.delete(name);
    else this.#troubles.set(name, `the ${name} (${trouble})`);
  }

  files(files: readonly { readonly rejected: RejectedFile | undefined }[]): void {
    this.#files = files;
  }

  attach(link: LinkRunner): void {
    this.#link = link;
  }

  get status(): MirrorStatus | undefined {
    return this.#link?.status;
  }

  get rejectedFiles(): readonly RejectedFile[] {
    return this.#files.flatMap(({ rejected }) => rejected ?? []);
  }

  ready(): Readiness {
    return readiness(this.#parts());
  }

  report(): MirrorStatusReport {
    return statusReport(this.#parts());
  }

  #parts(): ReportParts {
    return {
      config: this.config,
      version: this.#version,
      nowMs: this.clock.now(),
      status: this.status,
      rejectedFiles: this.rejectedFiles,
      startTrouble: [...this.#troubles.values()],
    };
  }
}
