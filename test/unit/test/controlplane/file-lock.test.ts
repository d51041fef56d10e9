import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withFileLock } from "../../../controlplane/file-lock.js";

let folder = "";
let lock = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "svc-ferry-lock-"));
  lock = join(folder, "deep/build.lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("withFileLock", () => {
  it("returns what the work returns and leaves no file", async () => {
    const result = await withFileLock(lock, async () => existsSync(lock));

    expect(result).toBe(true);
    expect(readdirSync(join(folder, "deep"))).toEqual([]);
  });

  it("lets one caller in at a time", async () => {
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} out`);
    };

    await Promise.all(
      ["a", "b", "c"].map(async (name) => withFileLock(lock, work(name), { everyMs: 1 })),
    );

    expect(seen).toHaveLength(6);
    expect(seen.filter((_, at) => at % 2 === 1)).toEqual(
      seen.filter((_, at) => at % 2 === 0).map((text) => text.replace("in", "out")),
    );
  });

  it("is free again after work that failed", async () => {
    const failing = withFileLock(lock, async () => Promise.reject(new Error("broken")));
    await expect(failing).rejects.toThrow("broken");

    await expect(withFileLock(lock, async () => "worked")).resolves.toBe("worked");
  });

  it("says who holds it, once", async () => {
    const holders: number[] = [];
    const release = Promise.withResolvers<void>();
    const first = withFileLock(lock, async () => release.promise);

    const second = withFileLock(lock, async () => {}, {
      everyMs: 1,
      onWait: (pid) => {
        holders.push(pid);
        release.resolve();
      },
    });
    await Promise.all([first, second]);

    expect(holders).toEqual([process.pid]);
  });

  it("takes over the lock of a process that has ended", async () => {
    await withFileLock(lock, async () => {});
    writeFileSync(lock, `${endedPid()} 12345 abc\n`);

    await expect(withFileLock(lock, async () => "taken over")).resolves.toBe("taken over");
  });

  it("takes over the lock of a dead process whose pid a new process has now", async () => {
    await withFileLock(lock, async () => {});
    writeFileSync(lock, `${process.pid} 1 abc\n`); // this process did not start one tick after boot

    await expect(withFileLock(lock, async () => "taken over")).resolves.toBe("taken over");
  });

  it("lets one in at a time also when several find the same stale lock", async () => {
    await withFileLock(lock, async () => {});
    writeFileSync(lock, `${endedPid()} 12345 abc\n`);
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };

    await Promise.all(
      Array.from({ length: 5 }, async () => withFileLock(lock, work, { everyMs: 1 })),
    );

    expect(most).toBe(1);
  });

  it("does not remove a lock that became another's", async () => {
    await withFileLock(lock, async () => writeFileSync(lock, "1 1 another\n"));

    expect(readFileSync(lock, "utf8")).toBe("1 1 another\n");
  });
});

function endedPid(): number {
  return spawnSync("true").pid;
}
