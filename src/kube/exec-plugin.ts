/** Credentials from a command, as `aws eks get-token` and its like give them. */

import { spawn } from "node:child_process";
import { isAbsolute, join } from "node:path";
import { TerminalError } from "../ports/errors.js";
import type { Clock } from "../ports/clock.js";
import type { Log } from "../ports/log.js";
import type { Random } from "../ports/random.js";
import { parseRfc3339 } from "../ports/timestamps.js";
import type { Environment } from "./environment.js";
import { isRecord, parseJson, text } from "./json.js";
import { type Issued, Renewed } from "./renewed.js";

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

export interface ExecDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the plugin inherits. */
  readonly env: Environment;
}

/** A plugin may ask a cloud and wait for it; this long is a hang. */
const PLUGIN_LIMIT_MS = 60_000;
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

/** Runs a plugin when it must, and holds what it answered as long as that holds. */
export class ExecPlugin {
  readonly #held: Renewed<ExecCredential>;

  constructor(
    private readonly config: ExecConfig,
    private readonly deps: ExecDeps,
  ) {
    const issue = async (): Promise<Issued<ExecCredential>> => this.#parse(await this.#spawn());
    this.#held = new Renewed({ name: config.command, issue, earlyMs: RENEW_EARLY_MS }, deps);
  }

  /** @throws RetryableError FERRY-K005 when the plugin fails and nothing valid is left */
  async current(): Promise<Issued<ExecCredential>> {
    return this.#held.current();
  }

  /** The server refused the credential: the next call asks the plugin anew. */
  drop(): void {
    this.#held.drop();
  }

  #parse(output: string): Issued<ExecCredential> {
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
    return { value: credential, endsAtMs: parseRfc3339(text(status["expirationTimestamp"])) };
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
