import { describe, expect, it } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import { ConfigFeed, type ConfigOrigin } from "../../../../src/config/config-feed.js";
import { configOrigin } from "../../../../src/config/load.js";
import { RecordedMetrics } from "../../../fixtures/recorders.js";
import type { Log } from "../../../../src/ports/log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

/** A process that was started with a file, and the file. */
class Scene {
  readonly clock = new VirtualClock();
  readonly metrics = new RecordedMetrics();
  readonly said: string[] = [];
  /** Namespaces of the routes that were handed over. */
  readonly taken: unknown[] = [];
  /** undefined: it cannot be read. */
  text: string | undefined;
  readonly #end = new AbortController();

  constructor(text: string, flags: Readonly<Record<string, string>> = { config: "ferry.yaml" }) {
    this.text = text;
    const origin = configOrigin({ flags, env: { HOSTNAME: "pod" }, readFile: () => this.#read() });
    void this.#feed(origin).follow(({ routes }) => {
      this.taken.push(...routes.map(({ namespaces }) => namespaces));
    }, this.#end.signal);
  }

  async write(text: string | undefined): Promise<void> {
    this.text = text;
    await this.clock.advance(2_000);
  }

  /** Reasons for which the file is not in force. */
  get pending(): readonly string[] {
    const last = new Map<string, string>();
    for (const line of this.metrics.lines) {
      const [, , value = "", reason = ""] = line.split(" ");
      last.set(reason, value);
    }
    return [...last].filter(([, value]) => value === "1").map(([reason]) => reason);
  }

  #read(): string {
    if (this.text === undefined) throw new Error("no such file");
    return this.text;
  }

  #feed(origin: ConfigOrigin): ConfigFeed {
    return new ConfigFeed(configOf(origin), origin, this.clock, this.#log(), this.metrics);
  }

  #log(): Log {
    const say = (fields: object, message: string): void => {
      const { problems = [], changed = [] } = fields as Readonly<Record<string, readonly string[]>>;
      this.said.push([message, ...problems, ...changed].join(" | "));
    };
    return { debug: say, info: say, warn: say, error: say, child: () => this.#log() };
  }
}

function configOf(origin: ConfigOrigin): Config {
  const result = origin.load();
  if (result.kind === "invalid") throw new Error(JSON.stringify(result.problems));
  return result.config;
}

describe("the configuration file of a running process", () => {
  it("is taken when nothing but routes has changed, once", async () => {
    const scene = new Scene("srcNs: shop\n");

    await scene.write("srcNs: shop\n");
    await scene.write("# nothing else\nsrcNs: shop\n");
    await scene.write("srcNs: cart\n");
    await scene.write("srcNs: cart\n");

    expect(scene.taken).toEqual([["cart"]]);
    expect(scene.pending).toEqual([]);
    expect(scene.said).toEqual([]);
  });

  it("is not taken when it is wrong, which is said once, with every mistake", async () => {
    const scene = new Scene("srcNs: shop\n");

    await scene.write("srcNs: Cart\nsyncLable: a=b\n");
    await scene.write("srcNs: Cart\nsyncLable: a=b\n");

    expect(scene.taken).toEqual([]);
    expect(scene.pending).toEqual(["invalid"]);
    expect(scene.said).toHaveLength(1);
    expect(scene.said[0]).toMatch(
      /^changed configuration is wrong.* \| .*srcNs: "Cart".* \| .*syncLable/,
    );
  });

  it("is not taken as long as it cannot be read", async () => {
    const scene = new Scene("srcNs: shop\n");

    await scene.write(undefined);
    const pending = scene.pending;
    await scene.write("srcNs: cart\n");

    expect(pending).toEqual(["invalid"]);
    expect(scene.said).toEqual([
      "changed configuration is wrong, the one before stays in force | cannot be read: no such file",
    ]);
    expect(scene.taken).toEqual([["cart"]]);
    expect(scene.pending).toEqual([]);
  });

  it("is taken as a whole or not at all: what changes more than routes waits for a restart", async () => {
    const scene = new Scene("srcNs: shop\n");

    await scene.write("srcNs: cart\nhttpPort: 8081\nleaseDuration: 30s\n");

    expect(scene.taken).toEqual([]);
    expect(scene.pending).toEqual(["restart"]);
    expect(scene.said).toEqual([
      "changed configuration needs a restart, as it changes more than routes | lease | http",
    ]);
  });

  it("is in force again when it says again what is", async () => {
    const scene = new Scene("srcNs: shop\n");

    await scene.write("srcNs: [\n");
    await scene.write("srcNs: shop\n");

    expect(scene.taken).toEqual([]);
    expect(scene.pending).toEqual([]);
  });

  it("is not looked at when there is none", async () => {
    const scene = new Scene("srcNs: shop\n", {});

    await scene.write("srcNs: cart\n");

    expect(scene.taken).toEqual([]);
    expect(scene.metrics.lines).toEqual([]);
  });
});
