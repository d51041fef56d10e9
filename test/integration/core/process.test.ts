import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import { type FerryProcess, startFerry } from "../../harness/ferry-process.js";
import { service, slice } from "../../harness/manifests.js";

let bed: FerryBed;
let kubeconfig = "";
const processes: FerryProcess[] = [];

beforeAll(async () => {
  bed = await openBed();
  kubeconfig = await bed.installedKubeconfig();
  await bed.grant();
});
afterAll(async () => bed.close());
afterEach(async () => {
  await Promise.all(processes.splice(0).map(async (process) => process.stop()));
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): FerryProcess {
  const process = startFerry({ args, env: { ...env, KUBECONFIG: kubeconfig } });
  processes.push(process);
  return process;
}

/** As k8s-svc-sync was started: single dashes, no sub-command, the kubeconfig from the environment. */
function ancestorsArguments(podName: string): readonly string[] {
  return [
    ...["-src-context", "source", "-dst-context=destination"],
    ...["-src-ns", bed.src.namespace, "-dst-ns", bed.dst.namespace],
    ...["-leader-election-namespace", bed.src.namespace, "-leader-election-name", "ferry"],
    ...["-pod-name", podName, "--http-port", "0", "--bind-address", "127.0.0.1"],
  ];
}

describe("the process", () => {
  it("takes k8s-svc-sync's arguments and writes the lines that people grep for", async () => {
    const ferry = start(ancestorsArguments("pod-a"));
    const { namespace } = bed.src;
    await bed.src.apply(slice(namespace, "web", ["10.1.0.1"]), service(namespace, "web"));
    await bed.dst.untilEndpoints("web", ["10.1.0.1"]);

    const time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
    const route = `\\[source/${namespace}/web → destination/${bed.dst.namespace}/web\\]`;
    await ferry.waitForLine(
      new RegExp(`^${time} \\[pod-a\\] became leader, starting sync operations`),
    );
    await ferry.waitForLine(
      new RegExp(`^${time} \\[pod-a\\] started syncing service web, currently tracking: \\[web\\]`),
    );
    await ferry.waitForLine(new RegExp(`^${time} \\[pod-a\\] ${route} updated endpoints → 1 IPs`));
    const accesses = [await bed.access("source"), await bed.access("destination")];
    const all = ferry.lines.map(({ text }) => text).join("\n");
    for (const { token } of accesses) expect(all).not.toContain(token);
  });

  it("ends with 0 on SIGTERM, with its Lease given back and its mirrors left", async () => {
    const ferry = start(ancestorsArguments("pod-b"));
    await ferry.waitForLine(/became leader/);
    await bed.src.apply(service(bed.src.namespace, "stays"));
    await bed.dst.untilService("stays");

    const exit = await ferry.stop(5_000);

    expect(exit).toEqual({ code: 0, signal: undefined });
    const lease = await bed.src.get("Lease", "ferry");
    expect(lease?.["spec"]).toMatchObject({ holderIdentity: "" });
    await bed.dst.service("stays");
  });

  it("reports every error of its configuration at once and ends with 2", async () => {
    const args = ["run", "--src-ns", "No_Such", "--lease-duration", "soon", "--endpoints=some"];
    const { code, err } = await start(args, { SVC_FERRY_HTTP_PORT: "70000" }).ended();

    expect(code).toBe(2);
    const lines = err.split("\n").filter((line) => line.startsWith("error: "));
    expect(lines).toHaveLength(4);
    expect(err).toMatch(/--src-ns.*No_Such/);
    expect(err).toMatch(/--lease-duration.*soon/);
    expect(err).toMatch(/--endpoints.*some.*slices, endpoints, both/);
    expect(err).toMatch(/SVC_FERRY_HTTP_PORT.*70000/);
  });

  it.each([
    ["an unknown flag", ["run", "--src-nss", "a"], /--src-nss.*did you mean --src-ns/],
    ["an unknown command", ["stauts"], /unknown command 'stauts'.*did you mean status/],
  ])("ends with 2 and a hint at %s", async (_, args, message) => {
    const { code, err } = await start(args).ended();

    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("ends with 1 when the kubeconfig has no such context", async () => {
    const { code, out, err } = await start([
      "run",
      "--src-context",
      "nowhere",
      "--http-port",
      "0",
      "--bind-address",
      "127.0.0.1",
    ]).ended();

    expect(code).toBe(1);
    expect(out + err).toContain("nowhere");
  });
});

describe("svc-ferry status", () => {
  it("asks the running one: 0 when all is synced, 1 and the reason when something is not", async () => {
    const ferry = start(ancestorsArguments("pod-c"));
    await ferry.waitForLine(/became leader/);
    const url = `http://127.0.0.1:${await ferry.adminPort()}/status`;
    await bed.src.apply(service(bed.src.namespace, "good"));
    await bed.dst.untilService("good");

    await bed.dst.untilService("web");
    const good = await start(["status", "--status-url", url, "--all"]).ended();
    await bed.dst.apply(service(bed.dst.namespace, "taken", { labels: {} }));
    await bed.src.apply(service(bed.src.namespace, "taken"));
    await ferry.waitForLine(/name-occupied/);
    const bad = await start(["status", "--status-url", url]).ended();

    expect(good.code).toBe(0);
    expect(good.out).toMatch(/ 3 of 3 synced /);
    expect(good.out).toMatch(/^src-\w+ +good +dst-\w+\/good +synced/m);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/taken.*name-occupied/);
    expect(bad.out).not.toMatch(/ good /);
  });

  it("ends with 2 when nobody answers", async () => {
    const { code, err } = await start([
      "status",
      "--status-url",
      "http://127.0.0.1:1/status",
    ]).ended();

    expect(code).toBe(2);
    expect(err).toMatch(/ECONNREFUSED|bad port/);
  });
});
