/**
 * `svc-ferry mirror` as people run it: the real bundle, on real etcds. Most of it side by side, each on etcds of its own, as most of
 * the time is a checkpoint's ten seconds, or those until a file is looked at.
 */
import { describe, expect, it, type TestContext } from "vitest";
import { LABELLED } from "../../fixtures/mirror-bed.js";
import { it as inBrowser } from "../../harness/browser-test.js";
import { MirrorCli, type RunningProcess, type Side } from "../../harness/mirror-cli.js";
import { put } from "../../harness/mirror-pair.js";
import { keyOf, object, pathOf } from "../../harness/runbook-scene.js";
import { waitFor } from "../../harness/wait-for.js";

const NOTHING = "filters:\n  secondary: []\n";
const TIMEOUT_MS = 120_000;

interface Scene {
  readonly cli: MirrorCli;
  readonly a: Side;
  readonly b: Side;
  /** Flags of the mirror from A to B. */
  readonly both: readonly [source: string, destination: string];
}

/** A holds a namespace and an object in it, B nothing. */
async function scene(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  rules = LABELLED,
): Promise<Scene> {
  const cli = await MirrorCli.start(rules);
  onTestFinished(() => cli.stop(), 30_000);
  const { a, b } = cli;
  await a.write(put("namespaces/shop", { labels: { mirror: "yes" } }), object("web", "1"));
  return { cli, a, b, both: [a.asSource, b.asDestination] };
}

async function mirrored({ b }: Scene): Promise<readonly string[]> {
  return [...(await b.objects()).keys()];
}

const BOTH = [pathOf("web"), "namespaces/shop"];

async function textAt({ url }: RunningProcess, path: string): Promise<string> {
  return (await fetch(url + path)).text();
}

describe.concurrent("svc-ferry mirror", { timeout: TIMEOUT_MS }, () => {
  it("plans, copies, follows, says how it stands, and stops in good order", async (context) => {
    const at = await scene(context);
    const { cli, a, b, both } = at;
    const examined = await cli.command("doctor", ...both);
    expect(examined).toMatchObject({ code: 0, err: "" });
    expect(examined.out).toMatch(/^rules \.+ ok {4}2 rules; every kind/m);
    // What the other bundle throws would be of a class that this one does not know.
    const wrong = await cli.command(
      "doctor",
      "--only=dst-reach",
      "--dest-kubeconfig=/gone",
      ...both,
    );
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining("(FERRY-K005)") });
    const planned = await cli.command("plan", ...both);
    expect(planned.err).toBe("");
    expect(planned.code).toBe(1);
    expect(planned.out).toContain(`create    ${keyOf("web")}  not-there\n`);
    expect(await b.keys()).toEqual([]);

    const mirror = await cli.follow(...both);
    expect(await mirrored(at)).toEqual(BOTH);
    await a.write(object("late", "2"));
    await waitFor(async () => (await mirrored(at)).length === 3, { what: "the late object" });

    const status = await cli.status(mirror);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).toMatch(/^link mirror · following · standalone, live/);
    expect(await cli.command("plan", ...both)).toMatchObject({ code: 0 });
    const metrics = await textAt(mirror, "/metrics");
    expect(metrics).toContain('svc_ferry_mirror_activity{activity="following"} 1');
    expect(metrics).toContain("svc_ferry_mirror_fence_held 1");

    const isFence = (key: string): boolean => key.startsWith("/svc-ferry/mirror/fence");
    expect((await b.books("mirror")).filter(isFence)).not.toEqual([]);
    expect((await mirror.process.stop()).code).toBe(0);
    expect((await b.books("mirror")).filter(isFence)).toEqual([]);
  });

  it("verifies beside a running mirror, and names what somebody else has changed", async (context) => {
    const { cli, b, both } = await scene(context);
    await cli.follow("--on-drift=report", ...both);
    expect(await cli.command("verify", "--wait=30s", ...both)).toMatchObject({ code: 0 });

    await b.write(object("web", "other"));
    const found = await cli.command("verify", "--wait=5s", "-o", "json", ...both);

    expect(found.code).toBe(1);
    expect(JSON.parse(found.out)).toMatchObject({
      kind: "MirrorVerification",
      findings: [{ key: keyOf("web") }],
    });
    expect(found.out).not.toContain("other");
  });

  it("takes changed rules without a restart, and keeps the old ones when the new ones are bad", async (context) => {
    const at = await scene(context);
    const { cli, a, both } = at;
    const mirror = await cli.follow(...both);

    await cli.rewrite("filters:\n  secondry: []\n");
    await mirror.process.waitForLine(/changed file not taken/);
    expect(await cli.status(mirror)).toMatchObject({ code: 1 });
    await a.write(object("meanwhile", "2"));
    await waitFor(async () => (await mirrored(at)).length === 3, { what: "the old rules at work" });
    await cli.rewrite(`# the same\n${LABELLED}`);
    await mirror.process.waitForLine(/changed file taken/);

    await waitFor(async () => (await cli.status(mirror)).code === 0, {
      what: "a mirror that is content again",
    });
  });

  it("drains, promotes, resumes and leaves", async (context) => {
    const at = await scene(context);
    const { cli, a, b, both } = at;
    const mirror = await cli.follow(...both);
    const promoted = await cli.command("promote --drain", "--wait=90s", ...both);
    expect(promoted).toMatchObject({ code: 0, err: "" });
    expect(promoted.out).toContain("link mirror is sealed");

    await a.write(object("after", "3"));
    await mirror.process.waitForLine(/fence lost/);
    await cli.until("sealed", mirror);
    expect(await mirrored(at)).toEqual(BOTH);

    expect(await cli.command("resume", ...both)).toMatchObject({ code: 2 });
    const resumed = await cli.command("resume", "--i-lost-the-destinations-changes", ...both);
    expect(resumed).toMatchObject({ code: 0 });
    await waitFor(async () => (await mirrored(at)).length === 3, {
      what: "the object of meanwhile",
    });

    const early = await cli.command("leave", "--remove", ...both);
    expect(early.code).toBe(2);
    expect(early.err).toMatch(/is being written by/);
    await mirror.process.stop();
    const left = await cli.command("leave", "--remove", ...both);
    expect(left.code).toBe(1);
    expect(left.out).toContain("  namespaces/shop  only the destination's API server");
    expect(await mirrored(at)).toEqual(["namespaces/shop"]);
    expect(await b.books("mirror")).toEqual([]);
  });

  it("mirrors nothing and deletes nothing without rules, and says so", async (context) => {
    const at = await scene(context, NOTHING);
    const mirror = await at.cli.run(...at.both);
    await mirror.process.waitForLine(/nothing is mirrored/);

    expect((await fetch(`${mirror.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${mirror.url}/ready`)).status).toBe(503);
    expect(await mirrored(at)).toEqual([]);
  });

  it("ends with 2 and every problem with its line when the rules are wrong", async (context) => {
    const { cli, both } = await scene(context, "filters:\n  secondry: []\n  sequential: 7\n");

    const { code, out, err } = await cli.command("run", "--bind-port=0", ...both);

    expect(code).toBe(2);
    expect(out + err).toContain(`${cli.rulesPath}:2`);
    expect(out + err).toContain(`${cli.rulesPath}:3`);
  });
});

describe("the page of a mirror", () => {
  inBrowser(
    "shows what it does, as it does it, and never a value",
    async ({ tab, onTestFinished }) => {
      const { cli, a, b, both } = await scene({ onTestFinished });
      const { url } = await cli.follow(...both);
      await tab.page.goto(url);
      await tab.page.getByText("2 objects in sync.").waitFor();

      const metadata = { name: "taken", namespace: "shop", uid: "theirs" };
      const theirs = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata });
      await b.write({ kind: "put", key: keyOf("taken"), value: Buffer.from(theirs) });
      await a.write(object("taken", "s3cr3t"));

      await tab.page.getByText("1 object is not as the source has it.").waitFor();
      expect(await tab.text("#refused")).toContain(`${pathOf("taken")}\t▲ occupied`);
      expect(await tab.page.locator("#clusters .state").allInnerTexts()).toEqual([
        "● connected",
        "● connected",
      ]);
      expect(await tab.page.content()).not.toContain("s3cr3t");
      // Before the mirror ends, as each test's does: a page whose stream is cut complains.
      await tab.page.close();
    },
  );
});

/** By themselves: the time after which a mirror counts as gone is short here. */
describe("two replicas", () => {
  it("take turns: the second is ready meanwhile, and goes on when the first is gone", async (context) => {
    const at = await scene(context);
    const { cli, a, both } = at;
    const standby = ["--mode=active-standby", "--fence-ttl=2s", ...both];
    const first = await cli.follow("--pod-name=one", ...standby);
    const second = await cli.follow("--pod-name=two", ...standby);
    const report = JSON.parse(await textAt(second, "/status")) as {
      readonly activity: string;
      readonly fence: { readonly holder: string };
    };
    expect(report.activity).toBe("waiting");
    expect(report.fence.holder).toMatch(/^one\//);

    first.process.signal("SIGKILL");
    await a.write(object("late", "2"));

    await waitFor(async () => (await mirrored(at)).length === 3, {
      what: "the second one's writing",
      timeoutMs: 10_000,
    });
    const status = await cli.status(second);
    expect(status.out).toContain("fence held by two");
  });

  it("in standalone mode the second is not ready, and says whom it waits for", async (context) => {
    const { cli, both } = await scene(context);
    await cli.follow("--pod-name=one", ...both);

    const second = await cli.run("--pod-name=two", ...both);

    await waitFor(async () => (await textAt(second, "/ready")).includes("held by one/"), {
      what: "a second mirror that waits",
    });
  });
});
