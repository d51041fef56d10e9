/** What the code has to look like and no linter sees. Imports between areas: oxlint.config.ts. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import lint from "../oxlint.config.js";
import { compose as composeMirror } from "../sidecar/compose.js";
import { MirrorProcess } from "../sidecar/process.js";
import { compose } from "../src/compose.js";
import { loadConfig } from "../src/config/load.js";
import { loadMirrorConfig } from "../src/config/mirror-load.js";
import { FerryProcess } from "../src/process.js";
import { filesOf } from "./fixtures/source-text.js";

const SOURCES = filesOf("{src,webhook,certs,sidecar}/**/*.ts");
const INJECTED =
  /@inject\((\w+)\)\s+(?:(?:private|protected|public)\s+)?(?:readonly\s+)?\w+:\s*(\w+)/g;

describe("the composition", () => {
  const composed = (): FerryProcess => {
    const loaded = loadConfig({ flags: {}, env: { HOSTNAME: "pod" }, readFile: () => "" });
    if (loaded.kind === "invalid") throw new Error("the defaults are invalid");
    return compose(loaded.config, { write: () => true });
  };

  it("resolves, and each time anew", () => {
    const [one, other] = [composed(), composed()];

    expect(one).toBeInstanceOf(FerryProcess);
    expect(one).not.toBe(other);
  });

  it("of the mirror resolves, and each time anew", () => {
    const flags = { sourceEndpoints: "http://a:1", destEndpoints: "http://b:2" };
    const loaded = loadMirrorConfig({ flags, env: { HOSTNAME: "pod" }, readFile: () => "" });
    if (loaded.kind === "invalid") throw new Error("the defaults are invalid");
    const composedMirror = (): MirrorProcess =>
      composeMirror(loaded.config, "1.2.3", { write: () => true });

    const [one, other] = [composedMirror(), composedMirror()];

    expect(one).toBeInstanceOf(MirrorProcess);
    expect(one).not.toBe(other);
  });

  it("injects into each parameter what its type says", () => {
    const pairs = SOURCES.flatMap(({ path, text }) =>
      [...text.matchAll(INJECTED)].map(([, token, type]) => ({ path, token, type })),
    );

    expect(pairs.length).toBeGreaterThan(10);
    expect(pairs.filter(({ token, type }) => token !== type)).toEqual([]);
  });

  it("has a token beside every constructor parameter of an injectable class", () => {
    const incomplete = SOURCES.filter(({ text }) => text.includes("@injectable()")).filter(
      ({ text }) => constructorParameters(text) !== [...text.matchAll(INJECTED)].length,
    );

    expect(incomplete.map(({ path }) => path)).toEqual([]);
  });
});

describe("the linter's boundaries", () => {
  it("know every folder of src", () => {
    const bounded = (lint.overrides ?? []).flatMap(({ files }) => files);
    const folders = readdirSync(new URL("../src", import.meta.url), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}/**`);

    expect(folders.filter((folder) => !bounded.includes(folder))).toEqual([]);
  });
});

describe("gates", () => {
  it.each<[string, RegExp, readonly string[]]>([
    ["process.env", /\bprocess\.env\b/, ["src/config/load.ts"]],
    [
      "timers",
      /\bset(?:Timeout|Interval|Immediate)\b|node:timers/,
      ["src/runtime/system-clock.ts"],
    ],
    [
      "the clock",
      /\bDate\b|\bperformance\b/,
      ["src/runtime/system-clock.ts", "src/ports/timestamps.ts"],
    ],
    [
      "chance",
      /\bMath\.random\b|\brandom(?:Bytes|UUID)\b/,
      // Keys and nonces of encryption: nobody may be able to foresee them, tests neither.
      [
        "src/runtime/system-random.ts",
        "sidecar/encryption/ciphers.ts",
        "sidecar/encryption/kms-client.ts",
        "sidecar/encryption/kms-v2.ts",
        "sidecar/encryption/kms-writer.ts",
      ],
    ],
    ["process.exit", /\bprocess\.exit\b/, ["src/main.ts"]],
    [
      "metadata",
      /from "reflect-metadata"|import "reflect-metadata"/,
      ["src/main.ts", "sidecar/main.ts"],
    ],
    ["the container", /\bcontainer\b.*from "tsyringe"/, ["src/compose.ts", "sidecar/compose.ts"]],
    ["singletons", /@singleton\(|@autoInjectable\(|@registry\(/, []],
  ])("let %s pass in one place only", (_, pattern, places) => {
    const found = SOURCES.filter(({ text }) => pattern.test(withoutComments(text)));

    expect(found.map(({ path }) => path).filter((path) => !places.includes(path))).toEqual([]);
  });

  it.each<[string, readonly string[]]>([
    ["@kubernetes/client-node", ["src/kube/"]],
    ["undici", ["src/kube/"]],
    ["pino", ["src/telemetry/"]],
    ["prom-client", ["src/telemetry/"]],
    ["fastify", ["src/telemetry/", "webhook/"]],
    ["commander", ["src/cli/"]],
    ["node-forge", ["certs/authority.ts"]],
    ["yaml", ["src/config/", "src/kube/", "sidecar/"]],
    ["@grpc/grpc-js", ["sidecar/"]],
    ["zod", ["src/config/", "src/cli/"]],
  ])("keep %s out of the wiring and of everybody else", (name, areas) => {
    const users = SOURCES.filter(({ text }) => text.includes(`from "${name}"`));

    expect(users.length).toBeGreaterThan(0);
    expect(
      users.map(({ path }) => path).filter((path) => !areas.some((area) => path.startsWith(area))),
    ).toEqual([]);
  });
});

describe("files", () => {
  it("have at most 300 lines that are not blank", () => {
    const long = SOURCES.filter(
      ({ text }) => text.split("\n").filter((line) => line.trim() !== "").length > 300,
    );

    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it("explain what they export, each export or the file at its head", () => {
    expect(SOURCES.flatMap(unexplained)).toEqual([]);
  });
});

/** Exports without a comment of their own in a file without one; what only gathers parameters is explained by who takes it. */
function unexplained({ path, text }: { path: string; text: string }): readonly string[] {
  if (text.startsWith("/**")) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const [, name] =
      /^export (?:abstract |async )?(?:class|function|const|type|interface) (\w+)/.exec(line) ?? [];
    if (name === undefined || /: InjectionToken</.test(line)) return [];
    if (/(?:Options|Parts|Settings|Deps)$/.test(name)) return [];
    const above = lines.slice(0, index).findLast((other) => !other.startsWith("@"));
    return above?.endsWith("*/") === true ? [] : [`${path}: ${name}`];
  });
}

function constructorParameters(text: string): number {
  return [...text.matchAll(/@injectable\(\)[^]*?(?:constructor\(([^]*?)\n? *\) \{|\n\}\n)/g)]
    .map(([, parameters = ""]) => parameters)
    .flatMap((parameters) => [...parameters.matchAll(/\w+: [A-Z]\w*/g)]).length;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}
