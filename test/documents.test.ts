/** Documents say what the code does, all of it and nothing else. docs/metrics.md: test/unit/src/telemetry/metrics.test.ts. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, it } from "vitest";
import { ADVICE } from "../sidecar/debts/advice.js";
import { DEBT_CODES } from "../sidecar/debts/debt.js";
import { MIRROR_VARIABLE_PREFIX } from "../src/config/given.js";
import { loadConfig } from "../src/config/load.js";
import { MIRROR_COMMAND_SETTINGS, mirrorSettingList } from "../src/config/mirror-settings.js";
import { settingKey, variableName } from "../src/config/setting.js";
import { settingList } from "../src/config/settings.js";
import { problemLine } from "../src/config/problems.js";
import * as labels from "../src/domain/labels.js";
import { METRICS } from "../src/ports/metric-table.js";
import { parseAllDocuments } from "yaml";
import { webhookConfigurations } from "./harness/webhook-configurations.js";
import { MirrorDoctorBed } from "./fixtures/mirror-doctor-bed.js";
import { filesOf, tableRows, textOf, unionOf } from "./fixtures/source-text.js";

const PAGES = [...filesOf("*.md"), ...filesOf("docs/**/*.md")];
const SOURCES = filesOf("{src,webhook,certs,sidecar}/**/*.ts");

describe("docs/codes.md", () => {
  it("explains every reason, error and Event, and no other", () => {
    const known = [
      ...unionOf("src/domain/codes.ts", "ReasonCode"),
      ...unionOf("src/ports/errors.ts", "ErrorCode"),
      ...unionOf("src/ports/event-sink.ts", "EventReason"),
      ...DEBT_CODES,
      ...unionOf("sidecar/rules/ruleset.ts", "NotMirrored"),
      ...unionOf("sidecar/etcd/etcd.ts", "EtcdErrorKind"),
    ];

    expect(known.length).toBeGreaterThan(40);
    expect(tableRows("docs/codes.md").map(([code]) => code)).toEqual(known);
  });

  it("says for each what it means, what happens next and what to do", () => {
    const thin = tableRows("docs/codes.md").filter((cells) => cells.some((cell) => cell === ""));

    expect(thin).toEqual([]);
  });

  it("tells for each debt to do what the mirror's page tells", () => {
    const told = tableRows("docs/codes.md").map(
      ([code = "", , , advice = ""]) => `${code}: ${advice.replaceAll("`", "")}`,
    );

    expect(told).toEqual(
      expect.arrayContaining(Object.entries(ADVICE).map((entry) => entry.join(": "))),
    );
  });

  it("names codes that the code uses", () => {
    const text = SOURCES.filter(({ path }) => !isVocabulary(path))
      .map((source) => source.text)
      .join("\n");
    const unused = tableRows("docs/codes.md").filter(([code]) => !text.includes(`"${code ?? ""}"`));

    expect(unused.map(([code]) => code)).toEqual([]);
  });
});

describe("the table of metrics", () => {
  it("holds no metric that nobody counts", () => {
    const text = SOURCES.filter(({ path }) => !path.endsWith("metric-table.ts"))
      .map((source) => source.text)
      .join("\n");

    expect(Object.keys(METRICS).filter((name) => !text.includes(`"${name}"`))).toEqual([]);
  });
});

describe("docs/configuration.md", () => {
  it("lists every setting, with its flag, variable, key, default, values and help", () => {
    const expected = settingList().map(({ name, type, help, fallbackText, fallbackVariable }) => [
      `--${name}`,
      variableName(name),
      settingKey(name),
      fallbackText ?? (fallbackVariable === undefined ? "–" : `$${fallbackVariable}`),
      type.allowed,
      help,
    ]);

    const [config, ...listed] = tableRows("docs/configuration.md");

    expect(config?.[0]).toBe("--config");
    expect(listed).toEqual(expected);
  });

  it("shows a file that is valid as it stands", () => {
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(textOf("docs/configuration.md")) ?? [];

    const loaded = loadConfig({
      flags: { config: "ferry.yaml" },
      env: { HOSTNAME: "pod" },
      readFile: () => example,
    });

    expect(loaded.kind === "invalid" ? loaded.problems.map(problemLine) : []).toEqual([]);
    expect(loaded.kind === "ok" && loaded.config.routes.map(({ name }) => name)).toEqual([
      "shop",
      "shared",
    ]);
  });

  it("shows every key that the file knows", () => {
    const [, example = ""] = /```yaml\n([^]*?)```/.exec(textOf("docs/configuration.md")) ?? [];
    const schema = textOf("src/config/file-schema.ts").replaceAll(/\/\*[^]*?\*\//g, "");
    const keys = [...schema.matchAll(/(\w+): (?:text\(|z\.)/g)].map(([, key = ""]) => key);

    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter((key) => !new RegExp(`\\b${key}:`).test(example))).toEqual([]);
  });
});

describe("docs/mirror.md", () => {
  it("lists every setting of the mirror, with its flags, variable, default, values and help", () => {
    const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
    const expected = settings.map(({ name, olderName, type, help, fallbackText, ...rest }) => [
      `--${name}`,
      variableName(name, MIRROR_VARIABLE_PREFIX),
      olderName === undefined ? "–" : `--${olderName}`,
      fallbackText ?? (rest.fallbackVariable === undefined ? "–" : `$${rest.fallbackVariable}`),
      type.allowed,
      help,
    ]);

    const listed = tableRows("docs/mirror.md").filter(([first]) => first?.startsWith("--"));

    expect(listed).toEqual(expected);
  });

  it("lists every command, and no other", () => {
    const known = filesOf("src/cli/mirror-*.ts").flatMap(
      ({ text }) => /new Command\("([a-z-]+)"\)/.exec(text)?.[1] ?? [],
    );

    const listed = tableRows("docs/mirror.md")
      .map(([first = ""]) => first)
      .filter((first) => !first.startsWith("--"));

    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});

describe("docs/tools.md", () => {
  it("lists every check of the mirror's doctor, and no other", async () => {
    const doctor = new MirrorDoctorBed();
    const answer = await doctor.examine({ destCold: true });
    const known = answer.kind === "report" ? answer.report.checks.map(({ id }) => id) : [];

    const [, table = ""] = textOf("docs/tools.md").split("| check of the mirror ");
    const listed = [...(table.split("\n\n", 1)[0]?.matchAll(/^\| (`.*?) +\|/gm) ?? [])].flatMap(
      ([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, id = ""]) => id),
    );

    expect(known.length).toBeGreaterThan(10);
    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});

describe("docs/runbook-mirror.md", () => {
  it("names commands and flags that exist", () => {
    const text = textOf("docs/runbook-mirror.md");
    const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
    const flags = new Set([
      ...settings.map(({ name }) => name),
      ...["drain", "keep", "remove", "i-lost-the-destinations-changes", "max-request-bytes"],
    ]);
    const commands = new Set(tableRows("docs/mirror.md").map(([first]) => first));
    const named = [...text.matchAll(/svc-ferry mirror ([a-z-]+)/g)].map(([, name = ""]) => name);
    const given = [...text.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)].map(([, flag = ""]) => flag);

    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !commands.has(name))).toEqual([]);
    expect(given.filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it("names metrics that there are", () => {
    const named = [...textOf("docs/runbook-mirror.md").matchAll(/svc_ferry_\w+/g)].map(
      ([name]) => name,
    );

    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });
});

describe("docs/labels.md", () => {
  it("lists every label and annotation, and no other", () => {
    const known = Object.entries(labels)
      .filter(([name]) => name.endsWith("_LABEL") || name.endsWith("_ANNOTATION"))
      .map(([, key]) => key);

    const listed = tableRows("docs/labels.md").map(([key]) => key);

    expect([...listed].sort()).toEqual([...known].sort());
  });
});

describe("docs/admission.md", () => {
  it("installs what the tests install, but for the address and the namespaces", () => {
    const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(textOf("docs/admission.md")) ?? [];
    const shown = parseAllDocuments(yaml).map((document) => document.toJS() as unknown);
    const asked = [{ namespace: "shop", port: 1 }];
    const tested = webhookConfigurations({ name: "svc-ferry", failurePolicy: "Ignore", asked });

    expect(shown.map(withoutPlace)).toEqual(tested.map(withoutPlace));
  });
});

describe("ARCHITECTURE.md", () => {
  it("names each folder of code once", () => {
    const folders = filesOf("{src,webhook,certs,sidecar}/**/*.ts").map(({ path }) => dirname(path));
    const [whole = "", mirror = ""] = textOf("ARCHITECTURE.md").split("## The etcd mirror");
    const named = [
      ...foldersIn(whole),
      ...foldersIn(mirror).map((folder) => `sidecar/${folder}`),
    ].filter((folder) => !folder.includes("."));

    const unknown = named.filter((folder) => !existsSync(new URL(`../${folder}`, import.meta.url)));
    expect(unknown).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
    expect(
      [...new Set(folders)].filter((folder) => folder !== "src" && !named.includes(folder)),
    ).toEqual([]);
  });
});

/** What the first column of its tables names; beside a path with "/" the next ones are its neighbours. */
function foldersIn(text: string): readonly string[] {
  return [...text.matchAll(/^\| (`[^|]+?) +\|/gm)].flatMap(([, cell = ""]) => {
    const [first = "", ...more] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
    return [first, ...more.map((name) => (name.includes("/") ? name : join(dirname(first), name)))];
  });
}

/** Where the API server asks, and about which namespaces. */
function withoutPlace(configuration: unknown): unknown {
  return JSON.parse(JSON.stringify(configuration), (key, value: unknown) =>
    key === "clientConfig" || key === "namespaceSelector" ? key : value,
  );
}

describe("pages", () => {
  it("name metrics that there are", () => {
    const named = PAGES.filter(({ path }) => path !== "docs/benchmarks.md").flatMap(({ text }) =>
      [...text.matchAll(/`(svc_ferry_\w*[a-z])`/g)].map(([, name = ""]) => name),
    );

    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  });

  it("name settings that there are", () => {
    const flags = new Set(settingList().map(({ name }) => name));
    const named = [...textOf("docs/credentials.md").matchAll(/`--(kubeconfig[a-z-]*)/g)];

    expect(named.length).toBeGreaterThan(0);
    expect(named.map(([, flag = ""]) => flag).filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it("name npm scripts that exist", () => {
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const named = PAGES.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = ""]) => ({ path, script })),
    );

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
  });

  it("name flags that exist", () => {
    const flags = new Set([...settingList().map(({ name }) => name), "config", "help", "version"]);
    const text = textOf("README.md").replaceAll(/^\s*npm .*$/gm, "");
    const [, shell = ""] = /```sh\n(svc-ferry run[^]*?)```/.exec(text) ?? [];
    const named = [...shell.matchAll(/--([a-z-]+)/g)].map(([, flag = ""]) => flag);

    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
  });

  it("link to files that exist", () => {
    const broken = PAGES.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = ""]) => join(dirname(path), target))
        .filter((target) => !existsSync(new URL(`../${target}`, import.meta.url)))
        .map((target) => `${path}: ${target}`),
    );

    expect(broken).toEqual([]);
  });
});

function isVocabulary(path: string): boolean {
  return /(?:domain\/codes|ports\/errors|ports\/event-sink|debts\/(?:debt|advice)|rules\/ruleset)\.ts$/.test(
    path,
  );
}
