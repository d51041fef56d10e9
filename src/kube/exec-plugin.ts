/** Credentials from a command, as `aws eks get-token` and its like give them. */

import { spawn } from "node:child_process";
import { isAbsolute, join } from "node:path";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import { parseRfc3339 } from "../ports/timestamps.js";
import type { Environment } from "./environment.js";
import { isRecord, parseJson, text } from "./json.js";

/** The `exec:` part of a kubeconfig's user. */
export interface ExecConfig {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

/** What a plugin answered. Certificate and key are PEM. */
export interface ExecCredential {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

interface Cached {
  readonly credential: ExecCredential;
  /** On the monotonic clock; Infinity when the plugin named no end. */
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

export interface ExecDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the plugin inherits. */
  readonly env: Environment;
}

/** A plugin may ask a cloud and wait for it; this long is a hang. */
const PLUGIN_LIMIT_MS = 60_000;
/** A failed plugin is not started again sooner: one that fails fast would else run once per request. */
const PAUSE_AFTER_FAILURE_MS = 2_000;
/** Renewal begins 60 to 120 s before the end, spread so that replicas do not all ask at once. */
const RENEW_EARLY_MS = 60_000;

/** undefined when there is none. `dir` is where a relative command with a slash starts, as for client-go. */
export function parseExecConfig(value: unknown, dir: string): ExecConfig | undefined {
  if (!isRecord(value)) {
    return undefined;
  }
  const command = text(value["command"]);
  const entries = Array.isArray(value["env"]) ? value["env"].filter(isRecord) : [];
  return {
    apiVersion: text(value["apiVersion"]) || "client.authentication.k8s.io/v1",
    command: command.includes("/") && !isAbsolute(command) ? join(dir, command) : command,
    args: Array.isArray(value["args"]) ? value["args"].map(text) : [],
    env: Object.fromEntries(entries.map((entry) => [text(entry["name"]), text(entry["value"])])),
  };
}

/**
 * Runs a plugin when it must: once for all who wait, ahead of the credential's end, and again after `drop`.
 * While a renewal ahead of time runs or fails, the credential that still holds is given.
 */
export class ExecPlugin {
  #cached: Cached | undefined;
  #running: Promise<Cached> | undefined;
  #failure: { readonly error: RetryableError; readonly untilMs: number } | undefined;

  constructor(
    private readonly config: ExecConfig,
    private readonly deps: ExecDeps,
  ) {}

  /** @throws RetryableError FERRY-K005 when the plugin fails and nothing valid is left */
  async credential(): Promise<ExecCredential> {
    const nowMs = this.deps.clock.monotonicMs();
    const cached = this.#cached;
    if (cached === undefined || nowMs >= cached.expiresAtMs) {
      return (await this.#renew()).credential;
    }
    if (nowMs >= cached.renewAtMs) {
      // Ends by itself; a failure is logged here and thrown once the old credential has ended.
      this.#renew().catch((error: unknown) => {
        this.deps.log.warn({ err: error }, "credential plugin failed, keeping the old credential");
      });
    }
    return cached.credential;
  }

  /** The server refused the credential: the next call asks the plugin anew. */
  drop(): void {
    this.#cached = undefined;
  }

  async #renew(): Promise<Cached> {
    const failure = this.#failure;
    if (failure !== undefined && this.deps.clock.monotonicMs() < failure.untilMs) {
      throw failure.error;
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<Cached> {
    try {
      const output = await this.#spawn();
      this.#cached = this.#parse(output);
      this.#failure = undefined;
      return this.#cached;
    } catch (error) {
      const why = error instanceof Error ? error.message : "unknown reason";
      const failed = new RetryableError("FERRY-K005", `${this.config.command}: ${why}`);
      const untilMs = this.deps.clock.monotonicMs() + PAUSE_AFTER_FAILURE_MS;
      this.#failure = { error: failed, untilMs };
      throw failed;
    }
  }

  #parse(output: string): Cached {
    const answer = parseJson(output);
    const status = isRecord(answer) && isRecord(answer["status"]) ? answer["status"] : {};
    const credential = {
      token: text(status["token"]) || undefined,
      cert: text(status["clientCertificateData"]) || undefined,
      key: text(status["clientKeyData"]) || undefined,
    };
    if (credential.token === undefined && credential.cert === undefined) {
      throw new TerminalError("FERRY-K005", "printed neither a token nor a certificate");
    }
    const endsAt = parseRfc3339(text(status["expirationTimestamp"]));
    if (endsAt === undefined) {
      return { credential, renewAtMs: Infinity, expiresAtMs: Infinity };
    }
    const nowMs = this.deps.clock.monotonicMs();
    const leftMs = Math.max(0, endsAt - this.deps.clock.now());
    const earlyMs = Math.min(RENEW_EARLY_MS * (1 + this.deps.random.next()), leftMs / 2);
    return { credential, renewAtMs: nowMs + leftMs - earlyMs, expiresAtMs: nowMs + leftMs };
  }

  /** The standard output. Standard error is quoted in the error, without what looks like a secret. */
  async #spawn(): Promise<string> {
    const { command, args, apiVersion } = this.config;
    const info = { kind: "ExecCredential", apiVersion, spec: { interactive: false } };
    const env = {
      ...this.deps.env,
      ...this.config.env,
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    };
    const ended = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve(stdout);
      } else {
        reject(new Error(`ended with ${code ?? "a signal"}: ${withoutSecrets(stderr)}`));
      }
    });
    const limited = this.#limit(ended.signal, () => {
      child.kill("SIGKILL");
      reject(new Error(`no answer within ${PLUGIN_LIMIT_MS / 1000} s`));
    });
    try {
      return await promise;
    } finally {
      ended.abort();
      await limited;
    }
  }

  async #limit(ended: AbortSignal, onLimit: () => void): Promise<void> {
    await this.deps.clock.sleep(PLUGIN_LIMIT_MS, ended);
    if (!ended.aborted) {
      onLimit();
    }
  }
}

/** Long runs of token characters go, so do control characters; what is left is the plugin's own sentence. */
function withoutSecrets(stderr: string): string {
  return stderr
    .replaceAll(/[\w\-.+/=%]{32,}/g, "…")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 300);
}
