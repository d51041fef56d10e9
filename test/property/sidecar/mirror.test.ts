import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FakeEtcd } from "../../fakes/fake-etcd.js";
import { MirrorBed, type MirrorProcess } from "../../fixtures/mirror-bed.js";

/** Histories; the long form looks for what is rare, and takes minutes. */
const FULL = process.env["SVC_FERRY_TEST_FULL"] === "1";
const RUNS = FULL ? 5_000 : 200;
/** Two seconds of work, beside tests that have more right to the processors. */
const TIMEOUT_MS = FULL ? 3_600_000 : 180_000;
/** When all is well again: longer than any debt waits to be looked at again. */
const MEND_MS = 130_000;
/** For so long the second process is watched, virtual time: over a checkpoint; in the long form over everything that it does in a minute. */
const WATCHED_MS = FULL ? 70_000 : 15_000;
/** Between two looks whether it is mended: most of what a history costs is time that passes. */
const LOOK_MS = 5_000;

const RULES = `
filters:
  secondary:
    - group: ""
      resources: [{ group: "", version: v1, kind: ConfigMap }]
      namespaceSelectors: [{ matchLabels: { team: "yes" } }]
      labelSelectors: [{ matchLabels: { mirror: "yes" } }]
`;

const NAMESPACES = ["ns-a", "ns-b"];
const NAMES = ["a", "b", "c"];

const namespace = fc.constantFrom(...NAMESPACES);
const path = fc
  .tuple(namespace, fc.constantFrom(...NAMES))
  .map(([one, name]) => `configmaps/${one}/${name}`);
const answer = fc.constantFrom("yes", "no");
const encoding = fc.constantFrom("json" as const, "protobuf" as const);
const data = fc.integer({ min: 0, max: 99 }).map(String);

/** What can happen; all of it at any time. */
type Step =
  | { readonly kind: "put"; readonly path: string; readonly mirror: string; readonly data: string }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "relabel"; readonly namespace: string; readonly team: string }
  | { readonly kind: "unlabel"; readonly namespace: string }
  | { readonly kind: "native-put"; readonly path: string; readonly data: string }
  | { readonly kind: "native-delete"; readonly path: string }
  | {
      readonly kind:
        "compact" | "cut" | "lose" | "drop" | "crash" | "stop" | "start" | "freeze" | "thaw";
    }
  /** The process dies, something goes, the source forgets that it did, and another process begins. */
  | { readonly kind: "gap"; readonly path: string }
  | { readonly kind: "outage"; readonly side: "source" | "destination"; readonly on: boolean }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("put" as const), path, mirror: answer, data }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), path }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("relabel" as const), namespace, team: answer }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unlabel" as const), namespace }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("native-put" as const), path, data }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("native-delete" as const), path }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...([
          "compact",
          "cut",
          "lose",
          "drop",
          "crash",
          "stop",
          "start",
          "freeze",
          "thaw",
        ] as const),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("gap" as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("outage" as const),
      side: fc.constantFrom("source" as const, "destination" as const),
      on: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(300, 2_000, 15_000)),
    }),
  },
);

/** One history, and what must be there at its end. */
class History {
  readonly bed: MirrorBed;
  /** Objects of the destination that are not ours, as somebody else left them. */
  readonly #natives = new Map<string, string>();
  #process: MirrorProcess | undefined;
  #frozen: MirrorProcess | undefined;
  /** Woken up; each waits for the fence, if it has noticed. */
  readonly #standbys: MirrorProcess[] = [];

  /** @param configMaps in protobuf the mirror knows by heart what it has written; in JSON it looks */
  constructor(configMaps: "json" | "protobuf") {
    this.bed = new MirrorBed({ rules: RULES, hopMs: 1, ttlSeconds: 5, configMaps });
  }

  async begin(): Promise<void> {
    for (const name of NAMESPACES) {
      await this.bed.put(`namespaces/${name}`, { labels: { team: "yes" } });
      await this.bed.putInto(this.bed.destination, `namespaces/${name}`);
      const object = { labels: { mirror: "yes" }, data: "first" };
      for (const one of NAMES) await this.bed.put(`configmaps/${name}/${one}`, object);
    }
    this.#process = this.bed.start();
  }

  async run(step: Step): Promise<void> {
    const { bed } = this;
    switch (step.kind) {
      case "put":
        await bed.put(step.path, { labels: { mirror: step.mirror }, data: step.data });
        return;
      case "delete":
        await bed.delete(step.path);
        return;
      case "relabel":
        await bed.put(`namespaces/${step.namespace}`, { labels: { team: step.team } });
        return;
      case "unlabel":
        await bed.put(`namespaces/${step.namespace}`);
        return;
      case "native-put":
        return this.#nativePut(step.path, step.data);
      case "native-delete":
        await bed.deleteFrom(bed.destination, step.path);
        this.#natives.delete(step.path);
        return;
      case "compact":
        return this.#compact();
      case "cut":
        bed.source.cutWatches();
        bed.destination.cutWatches();
        return;
      case "lose":
        bed.destination.faults.loseAnswers(2);
        return;
      case "drop":
        bed.destination.faults.failNext(1, "unknown-outcome", "txn");
        return;
      case "crash":
        this.#process?.kill();
        this.#process = undefined;
        return;
      case "stop":
        return this.#stop();
      case "start":
        this.#process ??= bed.start();
        return;
      case "freeze":
        if (this.#frozen !== undefined || this.#process === undefined) return;
        this.#process.clock.freeze();
        this.#frozen = this.#process;
        this.#process = bed.start();
        return;
      case "thaw":
        this.#thaw();
        return;
      case "gap":
        return this.#gap(step.path);
      case "outage":
        this.#side(step.side).setOutage(step.on);
        return;
      case "wait":
        await bed.clock.advance(step.ms);
        return;
    }
  }

  /** Everything is well again, and time passes. */
  async end(): Promise<void> {
    const { bed } = this;
    bed.source.setOutage(false);
    bed.destination.setOutage(false);
    this.#thaw();
    this.#process ??= bed.start();
    await bed.clock.advance(20_000);
    for (const standby of this.#standbys) standby.kill();
    await this.#mended();
    expect(this.#process.ended).toBeUndefined();
    expect(this.#process.mirror.status.activity).toBe("following");
  }

  /** The histories of the long form wait to the end: what becomes right may become wrong again. */
  async #mended(): Promise<void> {
    for (let waited = 0; waited < MEND_MS; waited += LOOK_MS) {
      await this.bed.clock.advance(LOOK_MS);
      const isAtWork = this.#process?.mirror.status.activity === "following";
      const isEqual = isAtWork && isDeepStrictEqual(this.bed.objects(), this.expected);
      if (isEqual && !FULL) return;
    }
  }

  /** A second one finds nothing to do. */
  async again(): Promise<readonly string[]> {
    await this.#stop();
    this.bed.takeWrites();
    await this.bed.follow();
    await this.bed.clock.advance(WATCHED_MS);
    return this.bed.takeWrites();
  }

  get expected(): Readonly<Record<string, unknown>> {
    const { source } = this.bed;
    const all: Record<string, unknown> = {};
    for (const name of NAMESPACES) all[`namespaces/${name}`] = undefined;
    for (const at of Object.keys(this.bed.objects(source))) {
      const labels = this.#labels(at);
      const team = this.#labels(`namespaces/${at.split("/")[1]}`);
      if (at.startsWith("configmaps/") && labels["mirror"] === "yes" && team["team"] === "yes") {
        all[at] = this.bed.object(at, source)?.["data"];
      }
    }
    for (const [at, text] of this.#natives) all[at] = text;
    return all;
  }

  async #compact(): Promise<void> {
    const { source } = this.bed;
    if (source.store.compacted === source.store.revision) return;
    const { outage } = source.faults;
    source.faults.setOutage(false);
    await source.compact(source.store.revision, { signal: NEVER });
    source.faults.setOutage(outage);
  }

  async #gap(path: string): Promise<void> {
    await this.bed.clock.advance(3_000);
    this.#process?.kill();
    await this.bed.delete(path);
    // Otherwise the deletion is the newest change, which a compaction keeps.
    await this.bed.write(this.bed.source, { kind: "put", key: "/elsewhere", value: NOTHING });
    await this.#compact();
    this.#process = this.bed.start();
  }

  async #nativePut(at: string, text: string): Promise<void> {
    const { destination } = this.bed;
    const isOurs = destination.store.get(`/svc-ferry/east/own/${at}`) !== undefined;
    await this.bed.putInto(destination, at, { data: text });
    if (!isOurs) this.#natives.set(at, text);
  }

  async #stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    const stopped = process?.stop();
    await this.bed.clock.advance(5_000);
    await stopped;
  }

  /** What it had sent arrives only now, and what it wanted to send it sends. */
  #thaw(): void {
    if (this.#frozen === undefined) return;
    this.#frozen.clock.thaw();
    this.#standbys.push(this.#frozen);
    this.#frozen = undefined;
  }

  #side(side: "source" | "destination"): FakeEtcd {
    return this.bed[side];
  }

  #labels(at: string): Readonly<Record<string, unknown>> {
    const metadata = this.bed.object(at, this.bed.source)?.["metadata"];
    const labels = isRecord(metadata) ? metadata["labels"] : undefined;
    return isRecord(labels) ? labels : {};
  }
}

const NOTHING = Buffer.alloc(0);
const NEVER = new AbortController().signal;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

describe("Mirror", () => {
  it(
    "makes the destination what the rules want of the source, whatever happens, and then writes nothing more",
    async () => {
      await fc.assert(
        fc.asyncProperty(encoding, fc.array(step, { maxLength: 30 }), async (configMaps, steps) => {
          const history = new History(configMaps);
          await history.begin();

          for (const one of steps) await history.run(one);
          await history.end();

          expect(history.bed.objects()).toEqual(history.expected);
          expect(await history.again()).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    },
    TIMEOUT_MS,
  );
});
