/** The three files of a mirror: rules, and keys of encryption for each side. Each is in force as a whole or not at all. */
import type { ConfigFilePath, MirrorConfig } from "../src/config/mirror-config.js";
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { Encryption } from "./encryption/transformer.js";
import { readRules, type Rules } from "./files/rules-file.js";
import { WatchedFile, type Reading } from "./files/watched-file.js";
import type { LinkInputs } from "./link/link-runner.js";
import type { MirrorParts } from "./mirror-parts.js";

interface Options {
  readonly config: MirrorConfig;
  readonly parts: MirrorParts;
  readonly clock: Clock;
  readonly log: Log;
}

type Loaded =
  | { readonly kind: "ok"; readonly inputs: LinkInputs }
  /** One line for each thing that is wrong, of all three. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

export class MirrorFiles {
  readonly rules: WatchedFile<Rules>;
  readonly source: WatchedFile<Encryption>;
  readonly destination: WatchedFile<Encryption>;

  constructor(private readonly options: Options) {
    const { config } = options;
    this.rules = this.#watched(config.rules, (text) =>
      readRules(text, config.rules.path, {
        destinationApi: config.destinationApi !== undefined,
      }),
    );
    this.source = this.#encryption(config.source.encryption);
    this.destination = this.#encryption(config.destination.encryption);
  }

  get all(): readonly WatchedFile<unknown>[] {
    return [this.rules, this.source, this.destination];
  }

  async load(): Promise<Loaded> {
    const [rules, source, destination] = await Promise.all([
      this.rules.load(),
      this.source.load(),
      this.destination.load(),
    ]);
    if (rules.kind === "invalid" || source.kind === "invalid" || destination.kind === "invalid") {
      const readings: readonly Reading<unknown>[] = [rules, source, destination];
      const problems = readings.flatMap((one) => (one.kind === "invalid" ? one.problems : []));
      return { kind: "invalid", problems: [...new Set(problems)] };
    }
    const warnings = [rules, source, destination].flatMap((one) => one.warnings);
    for (const text of new Set(warnings)) this.options.log.warn({ text }, "file warning");
    return {
      kind: "ok",
      inputs: {
        rules: rulesetOf(rules.value),
        sourceEncryption: source.value,
        destinationEncryption: destination.value,
      },
    };
  }

  /** Until `signal` aborts; what was in force before and is not any more is closed. */
  async follow(
    first: LinkInputs,
    reload: (inputs: LinkInputs) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let inputs = first;
    const change = async (part: Partial<LinkInputs>): Promise<void> => {
      const before = inputs;
      inputs = { ...before, ...part };
      await reload(inputs);
      if (part.sourceEncryption !== undefined) before.sourceEncryption.close();
      if (part.destinationEncryption !== undefined) before.destinationEncryption.close();
    };
    await Promise.all([
      this.rules.follow((rules) => change({ rules: rulesetOf(rules) }), signal),
      this.source.follow((sourceEncryption) => change({ sourceEncryption }), signal),
      this.destination.follow((destinationEncryption) => change({ destinationEncryption }), signal),
    ]);
    inputs.sourceEncryption.close();
    inputs.destinationEncryption.close();
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

function rulesetOf(rules: Rules): LinkInputs["rules"] {
  return rules.kind === "ok" ? rules.ruleset : undefined;
}
