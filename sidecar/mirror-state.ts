/** What `/ready`, `/status` and `/metrics` are told: by the process until there is a link, by the link from then on. */
import { inject, injectable } from "tsyringe";
import { MirrorConfig } from "../src/config/mirror-config.js";
import { Clock } from "../src/ports/clock.js";
import type { Readiness } from "../src/ports/health.js";
import type { MirrorStatusReport, RejectedFile } from "../src/ports/mirror-report.js";
import type { LinkRunner } from "./link/link-runner.js";
import type { MirrorStatus } from "./status/mirror-status.js";
import {
  readiness,
  statusReport,
  type ReportParts,
  type SideState,
} from "./status/status-report.js";

const NOT_ASKED = { connected: false, trouble: undefined, lastContactMs: undefined };

@injectable()
export class MirrorState {
  #link: LinkRunner | undefined;
  #version = "";
  #files: readonly { readonly rejected: RejectedFile | undefined }[] = [];
  readonly #sides: Record<SideState["name"], Omit<SideState, "name">> = {
    source: NOT_ASKED,
    destination: NOT_ASKED,
  };

  constructor(
    @inject(MirrorConfig) private readonly config: MirrorConfig,
    @inject(Clock) private readonly clock: Clock,
  ) {}

  begin(version: string): void {
    this.#version = version;
  }

  /** @param trouble kind of the error with which it failed to answer; undefined: it has answered */
  side(name: SideState["name"], trouble: string | undefined): void {
    const connected = trouble === undefined;
    const lastContactMs = connected ? this.clock.now() : this.#sides[name].lastContactMs;
    this.#sides[name] = { connected, trouble, lastContactMs };
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
      sides: (["source", "destination"] as const).map((name) => ({ name, ...this.#sides[name] })),
    };
  }
}
