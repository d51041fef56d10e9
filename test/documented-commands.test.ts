import { describe, expect, it } from "vitest";
import { commandsInDocuments, DOCUMENTED_COMMANDS } from "./fixtures/documented-commands.js";
import { textOf } from "./fixtures/source-text.js";

describe("the commands of README and documents", () => {
  const known = DOCUMENTED_COMMANDS.map(({ command }) => command);

  it("are all in the table that says where each is run", () => {
    const written = commandsInDocuments();

    expect(written.length).toBeGreaterThan(50);
    expect(written.filter((command) => !known.includes(command))).toEqual([]);
  });

  it("are what the table knows, each once and nothing that was taken out", () => {
    const written = new Set(commandsInDocuments());

    expect(known.filter((command) => !written.has(command))).toEqual([]);
    expect(known.length).toBe(new Set(known).size);
  });

  it("are typed in the tests that the table names", () => {
    const missing = DOCUMENTED_COMMANDS.filter(
      (one) => one.kind === "run" && !textOf(one.by).includes(one.as ?? one.command),
    );

    expect(missing).toEqual([]);
  });
});
