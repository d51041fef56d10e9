import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  ALLOCATOR,
  HEAP_OPTIONS,
  inLittleMemory,
  LATE_OPTION,
  type Restartable,
} from "../../../../src/runtime/small-memory.js";

describe("the options for a small heap", () => {
  it.each([...HEAP_OPTIONS, LATE_OPTION])("hold %s, which this Node knows", (option: string) => {
    const known = execFileSync(process.execPath, ["--v8-options"], { encoding: "utf8" });

    expect(known).toContain(`  ${option.split("=")[0]} `);
  });

  it("make the young generation two half spaces of 4 MB, whatever the other options bring with them", () => {
    const script = `
      require("node:v8").setFlagsFromString("${LATE_OPTION}");
      const kept = [];
      for (let i = 0; i < 3e6; i += 1) kept[i % 50_000] = { i };
      const spaces = require("node:v8").getHeapSpaceStatistics();
      console.log(spaces.find(({ space_name }) => space_name === "new_space").space_size);`;

    const bytes = Number(
      execFileSync(process.execPath, [...HEAP_OPTIONS, "-e", script], { encoding: "utf8" }),
    );

    expect(bytes).toBe(8 * 1024 * 1024);
  });
});

describe("a process in little memory", () => {
  it("starts again in its own place, with its own options, arguments and environment", () => {
    const started = startsOf({ execArgv: ["--enable-source-maps"], env: { HOME: "/home" } });

    expect(started).toEqual([
      {
        file: "/bin/node",
        args: ["/bin/node", ...HEAP_OPTIONS, "--enable-source-maps", "svc-ferry.js", "run"],
        env: { HOME: "/home", ...ALLOCATOR },
      },
    ]);
  });

  it("does not start a third time", () => {
    const started = startsOf({ execArgv: HEAP_OPTIONS, env: ALLOCATOR });

    expect(started).toEqual([]);
  });

  it("tells V8 of the option that would spoil the start once it runs", () => {
    const told: string[] = [];
    const env = ALLOCATOR;

    inLittleMemory({
      ...PROCESS,
      execArgv: HEAP_OPTIONS,
      env,
      setFlag: (option) => void told.push(option),
    });

    expect(told).toEqual([LATE_OPTION]);
  });

  it("keeps what somebody has set otherwise", () => {
    const started = startsOf({
      execArgv: ["--min-semi-space-size=1"],
      env: { NODE_OPTIONS: "--trace-warnings --max-semi-space-size=32", MALLOC_ARENA_MAX: "4" },
    });

    expect(started.map(({ args, env }) => [args.slice(1, -2), env])).toMatchObject([
      [
        ["--heap-growing-percent=20", "--wasm-tier-up-filter=0", "--min-semi-space-size=1"],
        { ...ALLOCATOR, MALLOC_ARENA_MAX: "4" },
      ],
    ]);
  });

  it("goes on as it is where a process cannot be replaced", () => {
    expect(() => inLittleMemory({ ...PROCESS, execve: undefined })).not.toThrow();
  });
});

interface Start {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Restartable["env"];
}

const PROCESS: Restartable = {
  execPath: "/bin/node",
  execArgv: [],
  argv: ["svc-ferry.js", "run"],
  env: {},
  execve: undefined,
  setFlag: () => undefined,
};

/** What a process like this would be replaced by. */
function startsOf(own: Partial<Restartable>): readonly Start[] {
  const started: Start[] = [];
  const execve: Restartable["execve"] = (file, args, env) => void started.push({ file, args, env });
  inLittleMemory({ ...PROCESS, ...own, execve });
  return started;
}
