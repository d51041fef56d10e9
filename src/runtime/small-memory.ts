/**
 * What V8 and the C library are told before any work, because they take memory for speed that this process has no use for:
 * nearly all time passes in waiting for API servers. Both read it when a process starts, and this one is started as
 * `node svc-ferry.js` or from a PATH, so it starts a second time in its own place: same pid, arguments, streams.
 */

/** NB: V8's own options, not Node's: a new major version of Node may not know them, and then does not start. */
export const HEAP_OPTIONS: readonly string[] = [
  // The young generation stays at 8 MB. It would grow to 128 MB during a list, and shrink to 2 MB when nothing happens, where a
  // burst spends a quarter more processor time in collecting it.
  "--min-semi-space-size=4",
  "--max-semi-space-size=4",
  // How much the old generation grows before it is collected, percent of what was left. With LATE_OPTION alone it is about 10, and
  // an eighth of all processor time is the difference.
  "--heap-growing-percent=20",
  // The HTTP parser is one WebAssembly function of 50 kB. Optimizing it takes 40 MB at once, which malloc keeps.
  "--wasm-tier-up-filter=0",
];

/**
 * The old generation is collected when it has grown by a little, not when it has doubled, and gives back what it can.
 *
 * With 10,000 Services and 100,000 endpoints that are compared every 5 s (median of 20 samples, mean of runs; processor time to the
 * third comparison): 162 MiB and 12.2 s without a percentage, 162 and 10.7 with 20, 164 and 10.5 with 30, 170 and 10.8 with 40.
 * A percentage without this option collects without compacting: 178 to 192 MiB with 30, and no less with 15. Without either it is
 * 285 and 8.1 s.
 *
 * NB: once the heap is there. Told at the start, V8 in Node 24 also makes a young generation of 2 MB, whatever it is told beside it,
 * and collects it four times as often.
 */
export const LATE_OPTION = "--optimize-for-size";

/**
 * glibc gives each thread that allocates an arena of its own, and an arena keeps what was freed in it: 22 of 170 MiB for the four
 * threads that compile and collect for V8. And it learns: once a large buffer was freed, all that are smaller come from the arena
 * too, between what lives long. What a list brings in buffers of 64 kB then stays there: 8 to 12 of 161 MiB. From a map of its own
 * each goes back to the system. Other C libraries look at neither. Source: mallopt(3), M_ARENA_MAX, M_MMAP_THRESHOLD.
 */
export const ALLOCATOR = { MALLOC_ARENA_MAX: "1", MALLOC_MMAP_THRESHOLD_: "32768" };

/** What of Node's process is needed. */
export interface Restartable {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** The program and its arguments, without Node itself. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Replaces the process and does not return. undefined: this system has no such thing, and it goes on as it is. */
  readonly execve:
    | ((file: string, args: readonly string[], env: Record<string, string | undefined>) => void)
    | undefined;
  /** Tells V8 of an option while it runs. */
  readonly setFlag: (option: string) => void;
}

/** Called once, before the first connection. What somebody has set otherwise stays as it was set. */
export function inLittleMemory(own: Restartable): void {
  const { execPath, execArgv, argv, env, execve } = own;
  const wanted = { ...ALLOCATOR, ...env };
  const given = [...(env["NODE_OPTIONS"] ?? "").split(" "), ...execArgv];
  const missing = HEAP_OPTIONS.filter((option) => !isAmong(given, option));
  const isReady = missing.length === 0 && Object.keys(ALLOCATOR).every((name) => name in env);
  if (!isReady) execve?.(execPath, [execPath, ...missing, ...execArgv, ...argv], wanted);
  own.setFlag(LATE_OPTION);
}

/** Also with another value. */
function isAmong(given: readonly string[], option: string): boolean {
  const [name] = option.split("=");
  return given.some((one) => one.split("=")[0] === name);
}
