import { onTestFailed } from "vitest";
import type { StatusReport } from "../../src/ports/status.js";
import type { ProcessExit } from "../controlplane/supervised-process.js";
import type { FerryProcess } from "../harness/ferry-process.js";
import type { LogLine } from "../harness/ferry-run.js";
import { waitFor } from "../harness/wait-for.js";

/** Lines of a replica's log that a failed test shows. */
export const SHOWN_LINES = 40;

/** One process of svc-ferry, asked through its admin port. */
export class Replica {
  constructor(readonly process: FerryProcess) {
    onTestFailed(() => {
      const last = process.lines.slice(-SHOWN_LINES).map(({ text }) => text);
      globalThis.process.stderr.write(`the end of pid ${process.pid}:\n${last.join("\n")}\n`);
    });
  }

  async status(): Promise<StatusReport> {
    const url = `http://127.0.0.1:${await this.process.adminPort()}/status`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return (await answer.json()) as StatusReport;
  }

  /** What it logged, with `--log-format=json`. */
  get records(): readonly LogLine[] {
    const lines = this.process.lines.filter(({ text }) => text.startsWith("{"));
    return lines.map(({ text }) => JSON.parse(text) as LogLine);
  }

  /** Of a replica with `--webhook=on`, once it may be asked there. */
  async webhookPort(): Promise<number> {
    const line = await this.process.waitForLine(/webhook listening/);
    const url = `http://127.0.0.1:${await this.process.adminPort()}/ready/webhook`;
    const isReady = async (): Promise<boolean> =>
      (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
    await waitFor(isReady, { what: `the webhook of pid ${this.process.pid} to be ready` });
    return Number(/port[=":]+(\d+)/.exec(line)?.[1]);
  }

  /** Resolves when it leads. */
  async leads(timeoutMs = 15_000): Promise<void> {
    const probe = async (): Promise<boolean> => (await this.status()).role === "leader";
    await waitFor(probe, { what: `pid ${this.process.pid} to lead`, timeoutMs });
  }

  /** Resolves when it stands by with filled caches. */
  async standsBy(): Promise<void> {
    await this.process.waitForLine(/source caches are synced/);
    await this.process.waitForLine(/destination caches are synced/);
  }

  /** The id that its Leases and its User-Agent carry. */
  async id(): Promise<string> {
    const line = await this.process.waitForLine(/connected to the source/);
    return /processId[=":]+([0-9a-f]+)/.exec(line)?.[1] ?? "";
  }

  /** SIGSTOP. */
  freeze(): void {
    this.process.signal("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.process.signal("SIGCONT");
  }

  /** SIGTERM, and SIGKILL when it does not end; says how it ended. */
  async stop(graceMs = 10_000): Promise<ProcessExit> {
    return this.process.stop(graceMs);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.process.stop(0);
  }
}
