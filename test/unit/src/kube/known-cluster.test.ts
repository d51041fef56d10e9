import { describe, expect, it } from "vitest";
import { knownCluster } from "../../../../src/kube/known-cluster.js";
import type {
  GetOptions,
  KubeApi,
  KubeList,
  KubeObject,
  ObjectRef,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../../../src/ports/kube-api.js";
import { SERVICES } from "../../../../src/ports/kube-resources.js";

const WATCH = { resourceVersion: "1", timeoutSeconds: 300, stallMs: 90_000 };

function event(name: string): WatchEvent {
  return { kind: "added", object: { metadata: { name } } };
}

/** A cluster that may become another one, and answers who it is when it is told to. */
class Bed implements KubeApi {
  readonly cluster = "source";
  connections = 1;
  /** UID of kube-system; undefined: it is not there yet. */
  uid: string | undefined = "ours";
  /** How each question who it is was asked. */
  readonly asked: (GetOptions | undefined)[] = [];
  readonly strangers: string[] = [];
  readonly seen: string[] = [];
  /** Sends an event down the watch. */
  send: (event: WatchEvent) => void = () => {};
  readonly watchEnd = Promise.withResolvers<void>();
  readonly stop = new AbortController();
  readonly create = refuse;
  readonly patch = refuse;
  readonly replace = refuse;
  readonly delete = refuse;
  readonly #answered = Promise.withResolvers<void>();
  readonly #known = knownCluster({
    api: this,
    uid: "ours",
    signal: this.stop.signal,
    onStranger: ({ code }) => void this.strangers.push(code),
  });

  constructor(isPatient = false) {
    if (!isPatient) this.answer();
  }

  list(): Promise<KubeList> {
    return Promise.resolve({ items: [], resourceVersion: "1", continueToken: undefined });
  }

  watch(
    _resource: Resource,
    _options: WatchOptions,
    onEvent: (event: WatchEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    this.send = onEvent;
    signal.addEventListener("abort", () => this.watchEnd.resolve(), { once: true });
    return this.watchEnd.promise;
  }

  async get(
    _resource: Resource,
    { name }: ObjectRef,
    _signal: AbortSignal,
    options?: GetOptions,
  ): Promise<KubeObject | undefined> {
    this.asked.push(options);
    const { uid } = this;
    await this.#answered.promise;
    return uid === undefined ? undefined : { metadata: { name, uid } };
  }

  /** The question on its way is answered. */
  answer(): void {
    this.#answered.resolve();
  }

  listed(): Promise<unknown> {
    return this.#known.list(SERVICES, {}, this.stop.signal);
  }

  watched(onEvent = (one: WatchEvent): void => this.#note(one)): Promise<void> {
    return this.#known.watch(SERVICES, WATCH, onEvent, this.stop.signal);
  }

  #note(one: WatchEvent): void {
    this.seen.push(one.kind === "bookmark" ? "bookmark" : one.object.metadata.name);
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("not asked for here"));
}

describe("a known cluster", () => {
  it("is asked who it is once for each connection, over one that is younger", async () => {
    const bed = new Bed();

    await bed.listed();
    await bed.listed();
    bed.connections = 2;
    await bed.listed();

    expect(bed.asked).toEqual([{ fresh: true }, { fresh: true }]);
  });

  it("is asked once by all who wait", async () => {
    const bed = new Bed();

    await Promise.all([bed.listed(), bed.listed(), bed.listed()]);

    expect(bed.asked).toHaveLength(1);
  });

  it("is asked again by who came after a connection was opened beside the question", async () => {
    const bed = new Bed(true);

    const early = bed.listed();
    await Promise.resolve();
    bed.connections = 2;
    const late = bed.listed();
    bed.answer();
    await Promise.all([early, late]);

    expect(bed.asked).toHaveLength(2);
  });

  it("that has become another one lists nothing, and that is told", async () => {
    const bed = new Bed();
    await bed.listed();

    bed.uid = "theirs";
    bed.connections = 2;

    await expect(bed.listed()).rejects.toMatchObject({ code: "FERRY-K012" });
    expect(bed.strangers).toEqual(["FERRY-K012"]);
  });

  it("that is still being made is waited for", async () => {
    const bed = new Bed();

    bed.uid = undefined;

    await expect(bed.listed()).rejects.toMatchObject({ name: "RetryableError" });
    expect(bed.strangers).toEqual([]);
  });
});

describe("the watch of a known cluster", () => {
  it("delivers in the tick of the event when no connection is new", async () => {
    const bed = new Bed();
    await bed.listed();
    void bed.watched();

    bed.send(event("a"));

    expect(bed.seen).toEqual(["a"]);
  });

  it("holds events back until it is known who sends them, and keeps their order", async () => {
    const bed = new Bed(true);
    const ended = bed.watched();

    bed.send(event("a"));
    bed.send(event("b"));
    const before = [...bed.seen];
    bed.answer();
    bed.watchEnd.resolve();
    await ended;

    expect(before).toEqual([]);
    expect(bed.seen).toEqual(["a", "b"]);
    expect(bed.asked).toHaveLength(1);
  });

  it("asks no second time though other connections are opened while it lasts", async () => {
    const bed = new Bed();
    await bed.listed();
    void bed.watched();
    bed.send(event("a"));

    bed.connections = 5;
    bed.send(event("b"));

    expect(bed.seen).toEqual(["a", "b"]);
    expect(bed.asked).toHaveLength(1);
  });

  it("delivers nothing of another cluster, and ends", async () => {
    const bed = new Bed();
    bed.uid = "theirs";
    const ended = bed.watched();

    bed.send(event("a"));

    await expect(ended).rejects.toMatchObject({ code: "FERRY-K012" });
    expect(bed.seen).toEqual([]);
    expect(bed.strangers).toEqual(["FERRY-K012"]);
  });

  it("delivers nothing that was held back to who has stopped meanwhile", async () => {
    const bed = new Bed(true);
    const ended = bed.watched();
    bed.send(event("a"));

    bed.stop.abort();
    bed.answer();
    await ended;

    expect(bed.seen).toEqual([]);
  });

  it("ends with what its listener throws, also when that comes late", async () => {
    const bed = new Bed();
    const ended = bed.watched(() => {
      throw new TypeError("listener");
    });

    bed.send(event("a"));

    await expect(ended).rejects.toThrow("listener");
  });
});
