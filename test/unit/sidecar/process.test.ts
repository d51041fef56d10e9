import { describe, expect, it } from "vitest";
import { PLAIN } from "../../../sidecar/encryption/encryption.js";
import { EtcdError } from "../../../sidecar/etcd/etcd.js";
import { Mirror } from "../../../sidecar/mirror.js";
import type { MirrorParts } from "../../../sidecar/mirror-parts.js";
import { MirrorState } from "../../../sidecar/mirror-state.js";
import { MirrorProcess } from "../../../sidecar/process.js";
import { DEFAULT_POLICY } from "../../../sidecar/link/policy.js";
import { MirrorSurroundings } from "../../../sidecar/surroundings.js";
import { loadMirrorConfig } from "../../../src/config/mirror-load.js";
import type { Flags } from "../../../src/config/given.js";
import type { LogFields } from "../../../src/ports/log.js";
import { AdminServer } from "../../../src/telemetry/admin-server.js";
import { bareApp } from "../../../src/telemetry/bare-app.js";
import { PrometheusMetrics } from "../../../src/telemetry/metrics.js";
import { SeededRandom } from "../../fakes/seeded-random.js";
import { SILENT_LOG } from "../../fakes/silent-log.js";
import type { FakeEtcd } from "../../fakes/fake-etcd.js";
import { LABELLED, MirrorBed, PREFIX } from "../../fixtures/mirror-bed.js";

const YES = { labels: { mirror: "yes" } };
const RULES = "/etc/mirror/rules.yaml";

class NoPort extends AdminServer {
  constructor(private readonly events: string[]) {
    super({ podName: "p", page: "all", bindAddress: "::", port: 0 }, bareApp, SILENT_LOG);
  }

  override start(): Promise<number> {
    this.events.push("port opened");
    return Promise.resolve(0);
  }

  override stop(): Promise<void> {
    this.events.push("port closed");
    return Promise.resolve();
  }
}

interface Situation {
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: Flags;
  /** Instead of the destination. */
  readonly destination?: FakeEtcd;
}

function scene({ files = { [RULES]: LABELLED }, flags = {}, destination }: Situation = {}) {
  const bed = new MirrorBed();
  const { clock } = bed;
  const disk = new Map(Object.entries(files));
  const events: string[] = [];
  const sides = { sourceEndpoints: "http://a:1", destEndpoints: "http://b:2" };
  const loaded = loadMirrorConfig({
    flags: { ...sides, link: "east", ...flags },
    env: { HOSTNAME: "pod-1" },
    readFile: () => "",
  });
  if (loaded.kind === "invalid") throw new Error("the settings are invalid");
  const { config } = loaded;
  const told =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      const { text } = fields;
      events.push(
        typeof text === "string" ? `${level} ${message}: ${text}` : `${level} ${message}`,
      );
    };
  const log = { ...SILENT_LOG, info: told("info"), warn: told("warn"), error: told("error") };
  const parts: MirrorParts = {
    openEtcd: async ({ name }) => {
      const etcd = name === "source" ? bed.source : (destination ?? bed.destination);
      etcd.close = async () => void events.push(`${name} closed`);
      return etcd;
    },
    readEncryption: () => ({ kind: "ok", value: PLAIN, warnings: [] }),
    openApi: async () => undefined,
    makeLink: (one) =>
      new Mirror({
        ...one,
        link: "east",
        identity: "pod-1",
        sourcePrefix: PREFIX,
        destinationPrefix: PREFIX,
        policy: {
          ...DEFAULT_POLICY,
          maxWritesPerSecond: undefined,
          verifyEveryMs: config.fullPassIntervalMs,
        },
        clock,
        random: new SeededRandom(1),
        log: SILENT_LOG,
      }),
    readFile: async (path) => {
      const text = disk.get(path);
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
      return text;
    },
  };
  const state = new MirrorState(config, clock);
  const around = new MirrorSurroundings(clock, log, new PrometheusMetrics());
  const process = new MirrorProcess(config, around, parts, state, new NoPort(events));
  const stop = new AbortController();
  const ended: { code: number | undefined } = { code: undefined };
  const run = (): void => {
    void process
      .run(stop.signal, { version: "1.2.3", warnings: [], terminal: undefined })
      .then((code) => {
        ended.code = code;
      });
  };
  return { bed, clock, disk, events, state, stop, ended, run };
}

describe("MirrorProcess", () => {
  it("opens the port first, mirrors, and stops in order with 0", async () => {
    const { bed, clock, events, state, stop, ended, run } = scene();
    await bed.put("namespaces/shop", YES);

    run();
    await clock.runUntil(() => state.ready().ok);
    expect(bed.owned()).toEqual(["namespaces/shop"]);
    stop.abort();
    await clock.runUntil(() => ended.code !== undefined);

    expect(ended.code).toBe(0);
    expect(events.filter((event) => !event.startsWith("info pass"))).toEqual([
      "info starting",
      "port opened",
      "info connected to an etcd",
      "info connected to an etcd",
      "source closed",
      "destination closed",
      "info stopped",
      "port closed",
    ]);
    expect(bed.destination.store.get("/svc-ferry/east/fence")).toBeUndefined();
  });

  it("waits for etcds that do not answer, and says which on /ready", async () => {
    const { bed, clock, state, run } = scene();
    bed.destination.setOutage(true);

    run();
    await clock.advance(3_000);
    expect(state.ready().waitingFor).toEqual(["the destination (unavailable)"]);
    expect(state.report()).toMatchObject({ activity: "starting", ready: false });

    bed.destination.setOutage(false);
    await clock.runUntil(() => state.ready().ok);
  });

  it("ends with 2 and every problem when a file is wrong, before any etcd is asked", async () => {
    const files = { [RULES]: "filters:\n  secondry: []\n  sequential: 7\n" };
    const { bed, clock, events, ended, run } = scene({ files });
    bed.source.setOutage(true);

    run();
    await clock.runUntil(() => ended.code !== undefined);

    expect(ended.code).toBe(2);
    const problems = events.filter((event) => event.startsWith("error file is not valid"));
    expect(problems.map((text) => /rules\.yaml:\d/.exec(text)?.[0])).toEqual([
      "rules.yaml:2",
      "rules.yaml:3",
    ]);
  });

  it("ends with 2 when an EncryptionConfiguration that somebody named is not there", async () => {
    const { clock, ended, events, run } = scene({
      flags: { destEncryptionProviderConfig: "/gone.yaml" },
    });

    run();
    await clock.runUntil(() => ended.code !== undefined);

    expect(ended.code).toBe(2);
    expect(events).toContain("error file is not valid: /gone.yaml: there is no such file");
  });

  it("ends with 1 when both sides are one etcd", async () => {
    const { clock, events, ended, bed, run } = scene();
    bed.destination.restore(bed.destination.backup(), 11n);

    run();
    await clock.runUntil(() => ended.code !== undefined);

    expect(ended.code).toBe(1);
    expect(events).toContain("error cannot go on");
  });

  it("lives without rules, mirrors nothing, and begins when there are some", async () => {
    const { bed, clock, disk, state, run } = scene({ files: {} });
    await bed.put("namespaces/shop", YES);

    run();
    await clock.advance(5_000);
    expect(state.ready().waitingFor).toEqual(["rules"]);
    expect(bed.destination.header.revision).toBe(1n);

    disk.set(RULES, LABELLED);
    await clock.runUntil(() => state.ready().ok);
    expect(bed.owned()).toEqual(["namespaces/shop"]);
  });

  it("keeps to the old rules while the new ones are bad, and says so in /status", async () => {
    const { bed, clock, disk, state, run } = scene();
    run();
    await clock.runUntil(() => state.ready().ok);

    disk.set(RULES, "filters: 7\n");
    await clock.advance(2_000);
    await bed.put("namespaces/shop", YES);
    await bed.settle();

    expect(state.report().rejectedFiles.map(({ path }) => path)).toEqual([RULES]);
    expect(bed.owned()).toEqual(["namespaces/shop"]);
  });

  it.each([
    ["3.4.30", true],
    ["3.5.13", false],
    // It is not told to a user without the role root.
    ["", true],
  ])(
    "warns of a source of version %j: %j, whose progress is not believed",
    async (version, warns) => {
      const { bed, clock, events, state, run } = scene();
      const members = bed.source.members.bind(bed.source);
      bed.source.members = async (call) => {
        if (version === "") throw new EtcdError("permission", "no");
        return (await members(call)).map((one) => ({ ...one, version }));
      };

      run();
      await clock.runUntil(() => state.ready().ok);

      expect(events.some((one) => one.startsWith("warn old etcd"))).toBe(warns);
    },
  );

  it.each([
    ["a first copy that may fill the destination", true],
    ["a copy that is done", false],
  ])("tells of %s in the log: %j", async (_, warns) => {
    const { bed, clock, events, state, run } = scene();
    await bed.put("configmaps/shop/large", { ...YES, data: "x".repeat(10_000) });
    if (!warns) await (await bed.follow()).stop();
    const members = bed.destination.members.bind(bed.destination);
    bed.destination.members = async (call) =>
      (await members(call)).map((one) => ({ ...one, dbSizeQuotaBytes: 20_000n }));

    run();
    await clock.runUntil(() => state.ready().ok);

    const told = events.filter((one) => one.startsWith("warn the first copy may fill"));
    expect(told.map((text) => /\d+ object/.exec(text)?.[0])).toEqual(warns ? ["1 object"] : []);
  });

  it("begins the watch at --rev in a link that has not begun, and copies nothing older", async () => {
    const { bed, clock, state, run } = scene({ flags: { rev: "3" } });
    await bed.put("namespaces/old", YES);
    await bed.put("namespaces/new", YES);

    run();
    await clock.runUntil(() => state.ready().ok);
    await bed.settle();

    expect(bed.owned()).toEqual(["namespaces/new"]);
  });

  it("copies what is older than --rev with the next full pass", async () => {
    const { bed, clock, state, run } = scene({ flags: { rev: "3", fullPassInterval: "1h" } });
    await bed.put("namespaces/old", YES);
    await bed.put("namespaces/new", YES);

    run();
    await clock.runUntil(() => state.ready().ok);
    await clock.advance(65 * 60_000);

    expect(bed.owned()).toEqual(["namespaces/new", "namespaces/old"]);
  });

  it("refuses --rev in a link that has begun, and changes nothing of it", async () => {
    const { bed, clock, ended, events, run } = scene({ flags: { rev: "2" } });
    await bed.put("namespaces/old", YES);
    await (await bed.follow()).stop();
    const before = bed.destination.store.get("/svc-ferry/east/state");

    run();
    await clock.runUntil(() => ended.code !== undefined);

    expect(ended.code).toBe(1);
    expect(events).toContain("error cannot go on");
    expect(bed.destination.store.get("/svc-ferry/east/state")).toEqual(before);
  });

  it("does not start when it is told to stop at once", async () => {
    const { clock, ended, stop, run } = scene();
    stop.abort();

    run();
    await clock.advance(10_000);

    expect(ended.code).toBe(0);
  });
});
