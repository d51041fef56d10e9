/** The three files of a mirror: rules, and keys of encryption for each side. Each is in force as a whole or not at all. */
import type { ConfigFilePath, MirrorConfig } from "../src/config/mirror-config.js";
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { Encryption } from "./encryption/transformer.js";
import { LiveEncryption } from "./files/live-encryption.js";
import { readRules, type Rules } from "./files/rules-file.js";
import { WatchedFile, type Reading } from "./files/watched-file.js";
import type { LinkRunnerParts } from "./link/link-runner.js";
import type { MirrorParts } from "./mirror-parts.js";
import type { Ruleset } from "./rules/ruleset.js";

interface Options {
  readonly config: Pick<
    MirrorConfig,
    "rules" | "destinationApi" | "source" | "destination" | "encryptionSettleMs"
  >;
  readonly parts: Pick<MirrorParts, "readFile" | "readEncryption">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the files say at first. Encryption follows its files by itself, rules are handed over. */
export interface FileInputs extends Pick<LinkRunnerParts, "rules"> {
  readonly sourceEncryption: LiveEncryption;
  readonly destinationEncryption: LiveEncryption;
}

/** Rules, and keys of encryption by side. */
export interface FileReadings {
  readonly rules: Reading<Rules>;
  readonly source: Reading<Encryption>;
  readonly destination: Reading<Encryption>;
}

type Loaded =
  | { readonly kind: "ok"; readonly inputs: FileInputs }
  /** One line for each thing that is wrong, of all three. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

export class MirrorFiles {
  readonly #rules: WatchedFile<Rules>;
  readonly #source: WatchedFile<Encryption>;
  readonly #destination: WatchedFile<Encryption>;

  constructor(private readonly options: Options) {
    const { config } = options;
    const destinationApi = config.destinationApi !== undefined;
    this.#rules = this.#watched(config.rules, (text) =>
      readRules(text, config.rules.path, { destinationApi }),
    );
    this.#source = this.#encryption(config.source.encryption);
    this.#destination = this.#encryption(config.destination.encryption);
  }

  get all(): readonly WatchedFile<unknown>[] {
    return [this.#rules, this.#source, this.#destination];
  }

  /** The first reading of each, right or wrong. */
  async readings(): Promise<FileReadings> {
    const [rules, source, destination] = await Promise.all([
      this.#rules.load(),
      this.#source.load(),
      this.#destination.load(),
    ]);
    return { rules, source, destination };
  }

  async load(): Promise<Loaded> {
    const { rules, source, destination } = await this.readings();
    if (rules.kind === "invalid" || source.kind === "invalid" || destination.kind === "invalid") {
      const readings: readonly Reading<unknown>[] = [rules, source, destination];
      const problems = readings.flatMap((one) => (one.kind === "invalid" ? one.problems : []));
      return { kind: "invalid", problems: [...new Set(problems)] };
    }
    const warnings = [rules, source, destination].flatMap((one) => one.warnings);
    for (const text of new Set(warnings)) this.options.log.warn({ text }, "file warning");
    const { config, clock } = this.options;
    return {
      kind: "ok",
      inputs: {
        rules: rulesetOf(rules.value),
        // Only what is written has to be known by others first.
        sourceEncryption: new LiveEncryption(source.value, clock, 0),
        destinationEncryption: new LiveEncryption(
          destination.value,
          clock,
          config.encryptionSettleMs,
        ),
      },
    };
  }

  /** Until `signal` aborts. */
  async follow(
    { sourceEncryption, destinationEncryption }: FileInputs,
    useRules: (rules: Ruleset | undefined) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all([
      this.#rules.follow(async (rules) => useRules(rulesetOf(rules)), signal),
      this.#source.follow(async (keys) => sourceEncryption.replace(keys), signal),
      this.#destination.follow(async (keys) => destinationEncryption.replace(keys), signal),
    ]);
  }

  #encryption(file: ConfigFilePath): WatchedFile<Encryption> {
    return this.#watched(file, (text) => {
      if (text !== undefined || !file.required) {
        return this.options.parts.readEncryption(text, file.path);
      }
      return { kind: "invalid", problems: [`${file.path}: there is no such file`] };
    });
  }

  #watched<T>(
    { path }: ConfigFilePath,
    parse: (text: string | undefined) => Reading<T>,
  ): WatchedFile<T> {
    const { clock, log, parts } = this.options;
    return new WatchedFile<T>({
      path,
      clock,
      log: log.child("files"),
      readFile: (one) => parts.readFile(one),
      parse: async (text) => parse(text),
    });
  }
}

function rulesetOf(rules: Rules): Ruleset | undefined {
  return rules.kind === "ok" ? rules.ruleset : undefined;
}
