import { describe, expect, it } from "vitest";
import { WatchedFile, type Reading } from "../../../../sidecar/files/watched-file.js";
import type { LogFields } from "../../../../src/ports/log.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

const LOOK_MS = 2_000;

/** Contents that begin with "bad" are not valid. */
async function parse(text: string | undefined): Promise<Reading<string>> {
  return text?.startsWith("bad") === true
    ? { kind: "invalid", problems: [`line 1: ${text}`] }
    : { kind: "ok", value: text ?? "nothing", warnings: text === "odd" ? ["it is odd"] : [] };
}

function scene(first: string | Error) {
  const disk = { content: first };
  const clock = new VirtualClock();
  const lines: string[] = [];
  const note = (level: string) => (fields: LogFields, message: string) =>
    void lines.push(`${level} ${message}: ${told(fields["problems"] ?? fields["text"])}`);
  const file = new WatchedFile<string>({
    path: "/rules.yaml",
    clock,
    log: { ...SILENT_LOG, info: note("info"), warn: note("warn"), error: note("error") },
    readFile: async () => {
      if (disk.content instanceof Error) throw disk.content;
      return disk.content;
    },
    parse,
  });
  const taken: string[] = [];
  const stop = new AbortController();
  const follow = (): Promise<void> =>
    file.follow(async (value) => void taken.push(value), stop.signal);
  return { disk, clock, file, lines, taken, stop, follow };
}

function told(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : "";
}

function missing(): Error {
  return Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
}

describe("WatchedFile", () => {
  it("gives its first content to whoever loads it, and says nothing of it again", async () => {
    const { file, clock, taken, follow } = scene("one");

    expect(await file.load()).toEqual({ kind: "ok", value: "one", warnings: [] });
    void follow();
    await clock.advance(10 * LOOK_MS);

    expect(taken).toEqual([]);
  });

  it("leaves a bad first content to the caller, a file that cannot be read likewise", async () => {
    const [bad, locked] = [scene("bad"), scene(new Error("EACCES"))];

    expect(await bad.file.load()).toEqual({ kind: "invalid", problems: ["line 1: bad"] });
    expect(await locked.file.load()).toEqual({
      kind: "invalid",
      problems: ["cannot be read: EACCES"],
    });
  });

  it("takes a file that is not there for one without content", async () => {
    expect(await scene(missing()).file.load()).toMatchObject({ kind: "ok", value: "nothing" });
  });

  it("hands over each valid new content within two seconds, with its warnings in the log", async () => {
    const { file, disk, clock, taken, lines, follow } = scene("one");
    await file.load();
    void follow();

    disk.content = "odd";
    await clock.advance(LOOK_MS);

    expect(taken).toEqual(["odd"]);
    expect(lines).toEqual(["info changed file taken: ", "warn file warning: it is odd"]);
  });

  it("keeps what is in force when the new content is bad, says so once, and takes the next good one", async () => {
    const { file, disk, clock, taken, lines, follow } = scene("one");
    await file.load();
    void follow();

    disk.content = "bad";
    await clock.advance(5 * LOOK_MS);
    const rejected = file.rejected;
    disk.content = "two";
    await clock.advance(LOOK_MS);

    expect(rejected).toEqual({
      path: "/rules.yaml",
      problems: ["line 1: bad"],
      since: "2026-01-01T00:00:02.000Z",
    });
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([
      "error changed file not taken, what was there before stays in force: line 1: bad",
    ]);
    expect(taken).toEqual(["two"]);
    expect(file.rejected).toBeUndefined();
  });

  it("keeps what is in force while the file cannot be read, and looks at it anew afterwards", async () => {
    const { file, disk, clock, taken, follow } = scene("one");
    await file.load();
    void follow();

    disk.content = new Error("EIO");
    await clock.advance(LOOK_MS);
    expect(file.rejected?.problems).toEqual(["cannot be read: EIO"]);
    disk.content = "one";
    await clock.advance(LOOK_MS);

    expect(file.rejected).toBeUndefined();
    expect(taken).toEqual(["one"]);
  });

  it("ends when it is told to", async () => {
    const { file, disk, clock, taken, stop, follow } = scene("one");
    await file.load();
    const following = follow();

    stop.abort();
    await following;
    disk.content = "two";
    await clock.advance(LOOK_MS);

    expect(taken).toEqual([]);
  });
});
