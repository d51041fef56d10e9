/** `svc-ferry mirror` as people run it: the real bundle, on a pair of real etcds. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { type EtcdServer, startEtcd } from "../../controlplane/etcd-server.js";
import { it as inBrowser } from "../../harness/browser-test.js";
import { type FerryProcess, startFerry, type EndedProcess } from "../../harness/ferry-process.js";
import { waitFor } from "../../harness/wait-for.js";
import { LABELLED } from "../../fixtures/mirror-bed.js";

const CONFIG_MAPS = LABELLED;
const NOTHING = "filters:\n  secondary: []\n";

let servers: readonly [EtcdServer, EtcdServer];
let folder: string;
let rules: string;
let links = 0;
let link: string;
const running = new Set<FerryProcess>();

beforeAll(async () => {
  servers = await Promise.all([startEtcd({ name: "source" }), startEtcd({ name: "destination" })]);
  folder = await mkdtemp(join(tmpdir(), "svc-ferry-mirror-"));
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  links += 1;
  link = `link-${links}`;
  rules = join(folder, `${link}.yaml`);
  await writeFile(rules, CONFIG_MAPS);
  for (const server of servers) await server.etcdctl(["del", "--prefix", "/registry/"]);
  await put("namespaces/shop", "v1", "Namespace", { name: "shop" });
  await configMap("web", "1");
});

afterEach(async () => {
  for (const process of running) await process.stop();
  running.clear();
});

function flags(...more: readonly string[]): readonly string[] {
  const [source, destination] = servers;
  return [
    `--source-endpoints=${source.endpoint}`,
    `--dest-endpoints=${destination.endpoint}`,
    `--link=${link}`,
    `--mirror-rule=${rules}`,
    ...more,
  ];
}

/** A command that ends by itself. */
async function mirror(command: string, ...more: readonly string[]): Promise<EndedProcess> {
  const args = ["mirror", ...command.split(" "), ...(command === "status" ? [] : flags()), ...more];
  return startFerry({ args }).ended();
}

/** A mirror that follows the source. */
async function run(...more: readonly string[]): Promise<{
  readonly process: FerryProcess;
  readonly url: string;
}> {
  const own = ["--bind-address=127.0.0.1", "--bind-port=0", "--fence-ttl=2s"];
  const process = startFerry({ args: ["mirror", "run", ...flags(...own, ...more)] });
  running.add(process);
  const url = `http://127.0.0.1:${await process.adminPort()}`;
  return { process, url };
}

async function ready(url: string): Promise<void> {
  await waitFor(async () => (await fetch(`${url}/ready`)).ok, { what: "a mirror that is ready" });
}

async function put(
  path: string,
  apiVersion: string,
  kind: string,
  metadata: object,
  rest: object = {},
): Promise<void> {
  const meta = { uid: `uid-${path}`, labels: { mirror: "yes" }, ...metadata };
  const object = { apiVersion, kind, metadata: meta, ...rest };
  await servers[0].etcdctl(["put", `/registry/${path}`], JSON.stringify(object));
}

function configMap(name: string, value: string): Promise<void> {
  const metadata = { name, namespace: "shop" };
  return put(`configmaps/shop/${name}`, "v1", "ConfigMap", metadata, { data: { value } });
}

async function keysOf(server: EtcdServer, prefix: string): Promise<readonly string[]> {
  const text = await server.etcdctl(["get", "--prefix", "--keys-only", prefix]);
  return text.split("\n").filter((line) => line !== "");
}

function mirrored(): Promise<readonly string[]> {
  return keysOf(servers[1], "/registry/");
}

const BOTH = ["/registry/configmaps/shop/web", "/registry/namespaces/shop"];

describe("svc-ferry mirror", () => {
  it("plans, copies, follows, says how it stands, and stops in good order", async () => {
    const planned = await mirror("plan");
    expect(planned.err).toBe("");
    expect(planned.code).toBe(1);
    expect(planned.out).toContain("create    /registry/configmaps/shop/web  not-there\n");
    expect(await keysOf(servers[1], "/")).toEqual([]);

    const { process, url } = await run();
    await ready(url);
    expect(await mirrored()).toEqual(BOTH);
    await configMap("late", "2");
    await waitFor(async () => (await mirrored()).length === 3, { what: "the late object" });

    const status = await mirror("status", `--status-url=${url}/status`);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).toMatch(new RegExp(`^link ${link} · following · standalone, live`));
    expect(await mirror("plan")).toMatchObject({ code: 0 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('svc_ferry_mirror_activity{activity="following"} 1');
    expect(metrics).toContain("svc_ferry_mirror_fence_held 1");

    expect((await process.stop()).code).toBe(0);
    expect(await keysOf(servers[1], `/svc-ferry/${link}/fence`)).toEqual([]);
  });

  it("verifies beside a running mirror, and names what somebody else has changed", async () => {
    const { url } = await run("--on-drift=report");
    await ready(url);
    expect(await mirror("verify", "--wait=30s")).toMatchObject({ code: 0 });

    const key = "/registry/configmaps/shop/web";
    const text = await servers[1].etcdctl(["get", key, "--print-value-only"]);
    await servers[1].etcdctl(["put", key], text.replace('"1"', '"other"'));
    const found = await mirror("verify", "--wait=5s", "-o", "json");

    expect(found.code).toBe(1);
    expect(JSON.parse(found.out)).toMatchObject({
      kind: "MirrorVerification",
      findings: [{ key }],
    });
    expect(found.out).not.toContain("other");
  });

  it("takes changed rules without a restart, and keeps the old ones when the new ones are bad", async () => {
    const { process, url } = await run();
    await ready(url);

    await writeFile(rules, "filters:\n  secondry: []\n");
    await process.waitForLine(/changed file not taken/);
    expect(await mirror("status", `--status-url=${url}/status`)).toMatchObject({ code: 1 });
    await configMap("meanwhile", "2");
    await waitFor(async () => (await mirrored()).length === 3, { what: "the old rules at work" });
    await writeFile(rules, `# the same\n${CONFIG_MAPS}`);
    await process.waitForLine(/changed file taken/);

    await waitFor(async () => (await mirror("status", `--status-url=${url}/status`)).code === 0, {
      what: "a mirror that is content again",
    });
  });

  it("drains, promotes, resumes and leaves", async () => {
    const first = await run();
    await ready(first.url);
    const promoted = await mirror("promote --drain", "--wait=90s");
    expect(promoted).toMatchObject({ code: 0, err: "" });
    expect(promoted.out).toContain(`link ${link} is sealed`);

    await configMap("after", "3");
    await first.process.waitForLine(/fence lost/);
    await waitFor(
      async () => (await (await fetch(`${first.url}/status`)).text()).includes("sealed"),
      {
        what: "a mirror that knows that it is sealed",
      },
    );
    expect(await mirrored()).toEqual(BOTH);

    expect(await mirror("resume")).toMatchObject({ code: 2 });
    expect(await mirror("resume", "--i-lost-the-destinations-changes")).toMatchObject({ code: 0 });
    await waitFor(async () => (await mirrored()).length === 3, { what: "the object of meanwhile" });

    const early = await mirror("leave", "--remove");
    expect(early.code).toBe(2);
    expect(early.err).toMatch(/is being written by/);
    await first.process.stop();
    const left = await mirror("leave", "--remove");
    expect(left.code).toBe(1);
    expect(left.out).toContain("  namespaces/shop  only the destination's API server");
    expect(await mirrored()).toEqual(["/registry/namespaces/shop"]);
    expect(await keysOf(servers[1], `/svc-ferry/${link}/`)).toEqual([]);
  });

  it("mirrors nothing and deletes nothing without rules, and says so", async () => {
    await writeFile(rules, NOTHING);
    const { process, url } = await run();
    await process.waitForLine(/nothing is mirrored/);

    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect(await mirrored()).toEqual([]);
  });

  it("ends with 2 and every problem with its line when the rules are wrong", async () => {
    await writeFile(rules, "filters:\n  secondry: []\n  sequential: 7\n");

    const process = startFerry({ args: ["mirror", "run", ...flags("--bind-port=0")] });
    const { code } = await process.exit;

    expect(code).toBe(2);
    const told = process.lines.map((line) => line.text).join("\n");
    expect(told).toContain(`${rules}:2`);
    expect(told).toContain(`${rules}:3`);
  });
});

describe("the page of a mirror", () => {
  inBrowser("shows what it does, as it does it, and never a value", async ({ tab }) => {
    const { url } = await run();
    await ready(url);
    await tab.page.goto(url);
    await tab.page.getByText("2 objects in sync.").waitFor();

    const taken = "configmaps/shop/taken";
    const metadata = { name: "taken", namespace: "shop", uid: "theirs" };
    const theirs = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata });
    await servers[1].etcdctl(["put", `/registry/${taken}`], theirs);
    await configMap("taken", "s3cr3t");

    await tab.page.getByText("1 object is not as the source has it.").waitFor();
    expect(await tab.text("#refused")).toContain(`${taken}\t▲ occupied`);
    expect(await tab.page.locator("#clusters .state").allInnerTexts()).toEqual([
      "● connected",
      "● connected",
    ]);
    expect(await tab.page.content()).not.toContain("s3cr3t");
    // Before the mirror ends, as each test's does: a page whose stream is cut complains.
    await tab.page.close();
  });
});

describe("two replicas", () => {
  it("take turns: the second is ready meanwhile, and goes on when the first is gone", async () => {
    const standby = ["--mode=active-standby"];
    const first = await run(...standby, "--pod-name=one");
    await ready(first.url);
    const second = await run(...standby, "--pod-name=two");
    await ready(second.url);
    const report = (await (await fetch(`${second.url}/status`)).json()) as {
      readonly activity: string;
      readonly fence: { readonly holder: string };
    };
    expect(report.activity).toBe("waiting");
    expect(report.fence.holder).toMatch(/^one\//);

    first.process.signal("SIGKILL");
    await configMap("late", "2");

    await waitFor(async () => (await mirrored()).length === 3, {
      what: "the second one's writing",
      timeoutMs: 10_000,
    });
    const status = await mirror("status", `--status-url=${second.url}/status`);
    expect(status.out).toContain("fence held by two");
  });

  it("in standalone mode the second is not ready, and says whom it waits for", async () => {
    const first = await run("--pod-name=one");
    await ready(first.url);

    const second = await run("--pod-name=two");

    await waitFor(
      async () => (await (await fetch(`${second.url}/ready`)).text()).includes("held by one/"),
      { what: "a second mirror that waits" },
    );
  });
});
