import { describe, expect, it } from "vitest";
import type { EventRecord } from "../../../../src/ports/event-sink.js";
import type { KubeObject } from "../../../../src/ports/kube-api.js";
import { EVENTS } from "../../../../src/ports/kube-resources.js";
import { EventRecorder } from "../../../../src/reconcile/event-recorder.js";
import { SILENT_LOG } from "../../../fakes/silent-log.js";
import { MemoryApiServer } from "../../../fakes/memory-api-server.js";
import { SeededRandom } from "../../../fakes/seeded-random.js";
import { settle } from "../../../fakes/settle.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { DirectApi } from "../../../fixtures/direct-api.js";
import { RecordedMetrics } from "../../../fixtures/recorders.js";

function recorderBed() {
  const clock = new VirtualClock();
  const server = new MemoryApiServer({ clock, random: new SeededRandom(1) });
  const api = new DirectApi(server, "source");
  const metrics = new RecordedMetrics();
  const random = new SeededRandom(2);
  let busy = false;
  const parts = { api, clock, random, metrics, log: SILENT_LOG, isBusy: () => busy };
  const recorder = new EventRecorder(parts, "pod-1");
  const stop = new AbortController();
  const run = recorder.run(stop.signal);
  const events = () => server.list(EVENTS, { namespace: "default" }).items as readonly Event[];
  const end = async (): Promise<void> => {
    stop.abort();
    await run;
  };
  const setBusy = (value: boolean): void => {
    busy = value;
  };
  return { clock, server, api, metrics, recorder, events, end, setBusy };
}

interface Event extends KubeObject {
  readonly count?: number;
  readonly message?: string;
  readonly lastTimestamp?: string;
  readonly firstTimestamp?: string;
}

function about(name: string, message = "mirrored"): EventRecord {
  const subject = {
    apiVersion: "v1",
    kind: "Service",
    namespace: "default",
    name,
    uid: `u-${name}`,
  };
  return { subject, type: "Normal", reason: "Synced", message };
}

describe("EventRecorder", () => {
  it("writes an Event as kubectl describe shows it", async () => {
    const { recorder, events, end } = recorderBed();

    recorder.emit(about("web"));
    await settle();

    expect(events()).toMatchObject([
      {
        involvedObject: { kind: "Service", namespace: "default", name: "web", uid: "u-web" },
        type: "Normal",
        reason: "Synced",
        message: "mirrored",
        source: { component: "svc-ferry" },
        reportingInstance: "pod-1",
        count: 1,
        firstTimestamp: "2026-01-01T00:00:00Z",
      },
    ]);
    await end();
  });

  it("slows down while mirrors are written, and catches up after that", async () => {
    const { clock, recorder, events, end, setBusy } = recorderBed();
    setBusy(true);

    for (let i = 0; i < 10; i += 1) recorder.emit(about(`web-${i}`));
    await clock.advance(900);
    const meanwhile = events().length;
    setBusy(false);
    await clock.advance(100);

    expect([meanwhile, events().length]).toEqual([4, 10]);
    await end();
  });

  it("counts a repeated one up in place", async () => {
    const { clock, recorder, events, end } = recorderBed();
    recorder.emit(about("web"));
    await clock.advance(5_000);

    recorder.emit(about("web"));
    await settle();

    expect(events()).toMatchObject([
      { count: 2, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:05Z" },
    ]);
    await end();
  });

  it("makes a new one when the old one has expired", async () => {
    const { server, recorder, events, end } = recorderBed();
    recorder.emit(about("web"));
    await settle();
    const [old] = events();
    server.delete(EVENTS, { namespace: "default", name: old?.metadata.name ?? "" });

    recorder.emit(about("web"));
    await settle();

    expect(events()).toMatchObject([{ count: 1 }]);
    await end();
  });

  it("lets 25 at once pass for one object, then one in five minutes, and others unhindered", async () => {
    const { clock, metrics, recorder, end } = recorderBed();

    for (let i = 0; i < 30; i += 1) recorder.emit(about("web", `message ${i}`));
    recorder.emit(about("other"));
    await settle();
    const burst = count(metrics, "written");
    await clock.advance(300_000);
    recorder.emit(about("web", "later"));
    recorder.emit(about("web", "too many"));
    await settle();

    expect(burst).toBe(26);
    expect(count(metrics, "written")).toBe(27);
    expect(count(metrics, "filtered")).toBe(6);
    await end();
  });

  it("drops what a refusing server will not have, and goes on", async () => {
    const { api, metrics, recorder, events, end } = recorderBed();
    api.before = (request) => {
      if (request.includes("/web")) throw new Error("forbidden");
    };

    recorder.emit(about("web"));
    recorder.emit(about("other"));
    await settle();

    expect(events().map(({ message }) => message)).toEqual(["mirrored"]);
    expect(count(metrics, "failed")).toBe(1);
    await end();
  });

  it("keeps no more than a thousand waiting", async () => {
    const { metrics, recorder, end } = recorderBed();
    await end();

    for (let i = 0; i < 1_005; i += 1) recorder.emit(about(`web-${i}`));

    expect(count(metrics, "dropped")).toBe(5);
  });

  it("cuts a message that is too long", async () => {
    const { recorder, events, end } = recorderBed();

    recorder.emit(about("web", "x".repeat(2_000)));
    await settle();

    expect(events()[0]?.message).toHaveLength(1_024);
    await end();
  });

  it("ends with its signal while mirrors are written", async () => {
    const { clock, recorder, end, setBusy } = recorderBed();
    setBusy(true);
    recorder.emit(about("web"));
    await clock.advance(10);

    await expect(end()).resolves.toBeUndefined();
  });

  it("ends with its signal while it waits", async () => {
    const { end } = recorderBed();

    await expect(end()).resolves.toBeUndefined();
  });
});

function count(metrics: RecordedMetrics, outcome: string): number {
  return metrics.of("svc_ferry_events_total").filter((line) => line === outcome).length;
}
