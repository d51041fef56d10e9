/**
 * The pages of docs/runbook-mirror.md, line by line: the real bundle, real etcds, what both hold compared key by key. All pages side
 * by side, each on etcds of its own, as most of their time is a checkpoint's ten seconds; the one that takes longest begins.
 */
import { describe, it } from "vitest";
import { put } from "../../harness/mirror-pair.js";
import {
  arrives,
  COUNT,
  keyOf,
  mirroredIn,
  object,
  pathOf,
  remove,
  RunbookScene,
} from "../../harness/runbook-scene.js";
import { waitFor } from "../../harness/wait-for.js";

const MIRRORED = { mirror: "yes" };
const TIMEOUT_MS = 120_000;

describe.concurrent("the runbook's fail-back", () => {
  it(
    "brings home what was done in the destination, and begins anew",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      const there = await cli.follow(...both);
      await a.server.crash();
      expect(await cli.command("promote", b.asDestination)).toMatchObject({ code: 0 });
      await b.write(object("c1", "changed in B"), object("new", "made in B"), ...remove("c2"));
      await a.server.start();
      await a.write(object("lost", "never handed over"));
      const back = ["--link=back", "--adopt-from-link=mirror", b.asSource, a.asDestination];

      const planned = await cli.command("plan", ...back);
      const home = await cli.follow(...back);
      const verified = await cli.command("verify", ...back);

      expect(planned.code).toBe(1);
      expect(planned.out).toContain(`adopt     ${keyOf("c1")}`);
      expect(planned.out).toContain(`create    ${keyOf("new")}`);
      expect(planned.out).not.toMatch(/^(delete|refuse) /m);
      expect(verified).toMatchObject({ code: 0, err: "" });
      const { [pathOf("c2")]: gone, [pathOf("lost")]: lost, ...rest } = await mirroredIn(a);
      expect(rest).toEqual(await mirroredIn(b));
      expect([gone, lost]).toMatchObject([
        { data: { value: "first" } },
        { data: { value: "never handed over" } },
      ]);

      await a.write(...remove("c2", "lost"));
      expect(await cli.command("promote --drain", ...back)).toMatchObject({ code: 0, err: "" });
      await Promise.all([there.process.stop(), home.process.stop()]);
      const left = await cli.command("leave --keep", "--link=back", a.asDestination);
      expect(left).toMatchObject({ code: 0, err: "" });
      expect(await cli.command("leave --keep", b.asDestination)).toMatchObject({
        code: 0,
        err: "",
      });
      expect([await a.books("back"), await b.books("mirror")]).toEqual([[], []]);
      const before = await b.objects();
      await cli.follow("--on-conflict=adopt", ...both);
      await a.write(object("c3", "after all"));
      await arrives(b, "c3", "after all");
      expect(await cli.command("verify", "--on-conflict=adopt", ...both)).toMatchObject({
        code: 0,
      });
      const after = await b.objects();
      const changed = [...after].filter(
        ([path, { revision }]) => before.get(path)?.revision !== revision,
      );
      expect(changed.map(([path]) => path)).toEqual([pathOf("c3")]);
      expect(await mirroredIn(b)).toEqual(await mirroredIn(a));
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );
});

describe.concurrent("the runbook's planned switch", () => {
  it(
    "loses nothing, and no mirror writes afterwards, old or new",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      const mirror = await cli.follow(...both);
      expect(await cli.status(mirror)).toMatchObject({ code: 0, err: "" });
      expect(await cli.command("verify", ...both)).toMatchObject({ code: 0, err: "" });
      await a.write(object("late", "last"), object("c1", "changed"), ...remove("c0"));

      const promoted = await cli.command("promote --drain", ...both);

      expect(promoted).toMatchObject({ code: 0, err: "" });
      expect(promoted.out).toContain("link mirror is sealed");
      expect(promoted.out).toContain("no debts");
      const atSwitch = await b.objects();
      expect(await mirroredIn(b)).toEqual(await mirroredIn(a));
      expect(await scene.nativeNow()).toEqual(native);
      await a.write(object("after", "too late"), ...remove("c2"));
      await cli.until("sealed", mirror);
      const next = await cli.run("--pod-name=next", ...both);
      await mirror.process.stop();
      await cli.until("sealed", next);
      expect(await b.objects()).toEqual(atSwitch);
    },
    TIMEOUT_MS,
  );

  it(
    "is taken back with resume, which makes the destination what the source says",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      await cli.follow(...both);
      expect(await cli.command("promote --drain", ...both)).toMatchObject({ code: 0 });
      await a.write(object("after", "meanwhile"), ...remove("c2"));
      await b.write(object("c1", "by somebody here"));

      const refused = await cli.command("resume", b.asDestination);
      const sealed = await b.objects();
      const resumed = await cli.command(
        "resume --i-lost-the-destinations-changes -o json",
        b.asDestination,
      );

      expect(refused).toMatchObject({ code: 2, out: "" });
      expect(sealed.get(pathOf("c1"))?.object.data).toEqual({ value: "by somebody here" });
      expect(JSON.parse(resumed.out)).toMatchObject({ kind: "MirrorResumption", link: "mirror" });
      await arrives(b, "after", "meanwhile");
      await arrives(b, "c1", "first");
      expect(await cli.command("verify", ...both)).toMatchObject({ code: 0, err: "" });
      expect(await mirroredIn(b)).toEqual(await mirroredIn(a));
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );

  it(
    "does not seal over debts that nobody has looked at",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, both, native } = scene;
      await a.write(put("configmaps/own/native", { labels: MIRRORED, data: { value: "A's" } }));
      const mirror = await cli.follow(...both);

      const refused = await cli.command("promote --drain", ...both);
      const allowed = await cli.command("promote --drain --allow-debts", ...both);

      expect(refused.code).toBe(1);
      expect(refused.out).toContain("configmaps/own/native  occupied");
      expect(refused.err).toContain("not promoted");
      expect(allowed).toMatchObject({ code: 0, err: "" });
      await cli.until("sealed", mirror);
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );
});

describe.concurrent("the runbook's lost source", () => {
  it(
    "seals without a source, and what comes back of it overwrites nothing",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      const mirror = await cli.follow(...both);
      const copied = await mirroredIn(b);
      await a.server.crash();

      const promoted = await cli.command("promote -o json", b.asDestination);

      expect(promoted).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(promoted.out)).toMatchObject({
        kind: "MirrorPromotion",
        unfinished: false,
        appliedRevision: expect.stringMatching(/^\d+$/),
        debts: { count: 0 },
      });
      expect(await mirroredIn(b)).toEqual(copied);
      const atSwitch = await b.objects();
      await a.server.start();
      await a.write(object("c1", "from the dead"), ...remove("c2"));
      await cli.until("sealed", mirror);
      expect(await b.objects()).toEqual(atSwitch);
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );

  it(
    "says of a first copy that had not ended that it had not, and what is there is whole",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      const mirror = await cli.run("--max-writes-per-second=1", ...both);
      await waitFor(async () => Object.keys(await mirroredIn(b)).length > 1, { what: "a few" });
      await a.server.crash();

      const promoted = await cli.command("promote", b.asDestination);

      expect(promoted).toMatchObject({ code: 0, err: "" });
      expect(promoted.out).toContain("A PASS HAD NOT ENDED");
      await cli.until("sealed", mirror);
      const copied = await mirroredIn(b);
      await a.server.start();
      const there = Object.keys(copied);
      const all = await mirroredIn(a);
      expect(there.length).toBeLessThan(COUNT);
      expect(copied).toEqual(Object.fromEntries(there.map((path) => [path, all[path]])));
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );
});

describe.concurrent("the runbook's way out", () => {
  it(
    "leaves all where it is with --keep, as nobody's, and nothing of the books",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, b, both } = scene;
      const mirror = await cli.follow(...both);
      await mirror.process.stop();
      const before = await b.objects();

      const left = await cli.command("leave --keep -o json", b.asDestination);

      expect(left).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(left.out)).toMatchObject({
        kind: "MirrorLeave",
        owned: COUNT + 1,
        removed: 0,
      });
      expect(await b.books("mirror")).toEqual([]);
      expect(await b.objects()).toEqual(before);
    },
    TIMEOUT_MS,
  );

  it(
    "takes what nobody has touched with --remove, and names what stays",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, b, both, native } = scene;
      const mirror = await cli.follow("--on-drift=report", ...both);
      await b.write(object("c1", "by somebody here"));
      await cli.until("following", mirror);
      await mirror.process.stop();

      const left = await cli.command("leave --remove -o json", b.asDestination);

      expect(left).toMatchObject({ code: 1, err: "" });
      expect(JSON.parse(left.out)).toMatchObject({
        removed: COUNT - 1,
        stayed: [
          { path: pathOf("c1"), why: "somebody has written it since the mirror did" },
          { path: "namespaces/shop", why: expect.stringContaining("API server") },
        ],
      });
      expect(await b.books("mirror")).toEqual([]);
      expect(Object.keys(await mirroredIn(b))).toEqual([pathOf("c1"), "namespaces/shop"]);
      expect(await scene.nativeNow()).toEqual(native);
    },
    TIMEOUT_MS,
  );
});

describe.concurrent("the runbook's held mass deletion", () => {
  it(
    "goes on when the brake is released, and takes nothing that is not the mirror's",
    async (context) => {
      const { expect } = context;
      const scene = await RunbookScene.start(context);
      const { cli, a, b, both, native } = scene;
      const mirror = await cli.follow(...both);
      const most = Array.from({ length: COUNT - 2 }, (_, at) => `c${at}`);
      await a.write(...remove(...most));
      const isHeld = async (): Promise<boolean> => (await cli.status(mirror)).out.includes("BRAKE");
      await waitFor(isHeld, { what: "the brake" });
      expect((await cli.status(mirror)).code).toBe(1);
      const held = Object.keys(await mirroredIn(b)).length;

      const released = await cli.command("release-brake -o json", b.asDestination);

      expect(held).toBeGreaterThan(COUNT / 2);
      expect(released).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(released.out)).toMatchObject({
        kind: "MirrorBrakeRelease",
        outcome: "released",
      });
      const isDone = async (): Promise<boolean> => (await cli.status(mirror)).code === 0;
      await waitFor(isDone, { what: "a mirror that is content again" });
      expect(await mirroredIn(b)).toEqual(await mirroredIn(a));
      expect(await scene.nativeNow()).toEqual(native);
      expect(await cli.command("release-brake", b.asDestination)).toMatchObject({
        code: 0,
        out: "the brake of link mirror holds nothing\n",
      });
    },
    TIMEOUT_MS,
  );
});
