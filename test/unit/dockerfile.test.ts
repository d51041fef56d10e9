import { describe, expect, it } from "vitest";
import { SETTINGS } from "../../src/config/settings.js";
import { filesOf, textOf } from "../fixtures/source-text.js";

/** One instruction, continuation lines joined: `["COPY", "--from=build a b ./"]`. */
type Instruction = readonly [name: string, rest: string];

function instructions(): readonly Instruction[] {
  return textOf("Dockerfile")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => [line.split(" ")[0] ?? "", line.slice(line.indexOf(" ") + 1)] as const);
}

/** The instructions of a stage, by its number. */
function stage(index: number): readonly Instruction[] {
  const all = instructions();
  const starts = all.flatMap(([name], at) => (name === "FROM" ? [at] : []));
  return all.slice(starts[index], starts[index + 1]);
}

function valueOf(name: string, of: readonly Instruction[]): string | undefined {
  return of.findLast(([one]) => one === name)?.[1];
}

/** What the build stage takes from the checkout. */
function copied(): readonly string[] {
  return stage(0)
    .filter(([name]) => name === "COPY")
    .flatMap(([, rest]) => rest.split(" ").slice(0, -1));
}

describe("the Dockerfile", () => {
  it("builds in one stage and runs in another, which has no shell to build with", () => {
    expect(instructions().filter(([name]) => name === "FROM")).toHaveLength(2);
    expect(textOf("Dockerfile")).toMatch(
      /^ARG RUNTIME_IMAGE=gcr\.io\/distroless\/nodejs24-\S+:nonroot$/m,
    );
    expect(stage(1).filter(([name]) => name === "RUN")).toEqual([]);
  });

  it("runs as a number that is not root", () => {
    expect(valueOf("USER", stage(1))).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it("starts what the package calls svc-ferry, in the form that passes signals on", () => {
    const { bin } = JSON.parse(textOf("package.json")) as { readonly bin: Record<string, string> };
    const file = (bin["svc-ferry"] ?? "").replace(/^dist\//, "");

    expect(JSON.parse(valueOf("ENTRYPOINT", stage(1)) ?? "")).toEqual([
      "/nodejs/bin/node",
      `/app/${file}`,
    ]);
    expect(JSON.parse(valueOf("CMD", stage(1)) ?? "")).toEqual(["run"]);
  });

  it("names the ports that are listened on", () => {
    const ports = (valueOf("EXPOSE", stage(1)) ?? "").split(" ").map(Number);
    const { httpPort, webhookPort, handOffPort } = SETTINGS;

    for (const { fallback } of [httpPort, webhookPort, handOffPort]) {
      expect(ports).toContain(fallback);
    }
  });

  it("installs from the lock file and runs nobody's install scripts", () => {
    const commands = stage(0)
      .filter(([name]) => name === "RUN")
      .map(([, rest]) => rest);

    expect(commands.slice(0, 2)).toEqual(["npm ci --ignore-scripts", "node build.config.ts"]);
    expect(commands.filter((command) => /npm|curl|wget/.test(command))).toHaveLength(1);
  });

  it("takes every folder that the program is made of, and nothing that is not let through", () => {
    const folders = filesOf("{src,webhook,certs,sidecar}/**/*.ts").map(
      ({ path }) => path.split("/")[0],
    );
    const letThrough = textOf(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));

    expect([...new Set(folders)].filter((folder) => !copied().includes(folder ?? ""))).toEqual([]);
    expect(copied().toSorted()).toEqual(letThrough.toSorted());
  });
});
