import { describe, expect, it } from "vitest";
import {
  Heartbeat,
  type HeartbeatOptions,
  type HeartbeatState,
} from "../../../../src/leader/heartbeat.js";
import { RetryableError } from "../../../../src/ports/errors.js";
import { ProcessClock } from "../../../fakes/process-clock.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";
import { LeaseClient, LeaseServer, namesOf, TIMES } from "./lease-bed.js";

const unreachable = new RetryableError("FERRY-K001", "scripted");

function given() {
  const world = new VirtualClock();
  const server = new LeaseServer();
  const start = (
    identity: string,
    processId = identity,
    options: Pick<HeartbeatOptions, "asksForNamespace" | "createNamespace"> = {},
  ) => {
    const api = new LeaseClient(server);
    const clock = new ProcessClock(world);
    const kinds: HeartbeatState["kind"][] = [];
    const heartbeat = new Heartbeat({
      api,
      clock,
      random: { next: () => 0.5, id: () => "" },
      log: namesOf([]),
      leaseNamespace: "ns",
      leaseName: "link",
      identity,
      processId,
      ...TIMES,
      ...options,
      onChange: (state) => kinds.push(state.kind),
    });
    const process = new AbortController();
    const observing = heartbeat.observe(process.signal);
    const hold = () => {
      const term = new AbortController();
      const held = heartbeat.hold(term.signal);
      return async () => {
        term.abort();
        await held;
      };
    };
    const end = async () => {
      process.abort();
      await observing;
    };
    return { api, clock, heartbeat, hold, end, kinds };
  };
  return { world, server, start };
}

describe("Heartbeat", () => {
  it("is held while the term lasts and released with it", async () => {
    const { world, server, start } = given();
    const { heartbeat, hold, end, kinds } = start("pod-a");
    const before = heartbeat.state;

    const endTerm = hold();
    await world.advance(60_000);
    const during = [heartbeat.state, heartbeat.permit()];
    await endTerm();

    expect(before).toEqual({ kind: "unknown", cause: undefined });
    expect(during).toEqual([{ kind: "held" }, true]);
    expect(heartbeat.permit()).toBe(false);
    expect(server.lease("ns/link").spec.holderIdentity).toBe("");
    expect(kinds).toEqual(["held", "unknown"]);
    await end();
    expect(world.pending).toBe(0);
  });

  it("says who holds it elsewhere, permits nothing meanwhile, and takes it when it is released", async () => {
    const { world, start } = given();
    const clone = start("pod-clone");
    const endClone = clone.hold();
    await world.advance(0);
    const { heartbeat, hold, kinds } = start("pod-a");

    hold();
    await world.advance(60_000);
    const meanwhile = [heartbeat.state, heartbeat.permit()];
    await endClone();
    await world.advance(1_000);

    expect(meanwhile).toEqual([{ kind: "held-elsewhere", holder: "pod-clone" }, false]);
    expect(heartbeat.state).toEqual({ kind: "held" });
    expect(kinds).toEqual(["held-elsewhere", "held"]);
  });

  it("costs a follower that has observed no more than what is left of a dead leader's Lease", async () => {
    const { world, start } = given();
    const leader = start("pod-a");
    leader.hold();
    await world.advance(0);
    const follower = start("pod-b");
    await world.advance(10_000);

    leader.clock.kill();
    await world.advance(15_500);
    follower.hold();
    await world.advance(0);

    expect(follower.heartbeat.state).toEqual({ kind: "held" });
  });

  it("permits nothing once its own margin is over while the destination is away, and holds it again afterwards", async () => {
    const { world, start } = given();
    const { api, heartbeat, hold, kinds } = start("pod-a");
    hold();
    await world.advance(0);

    api.fault = unreachable;
    await world.advance(13_500);
    const last = heartbeat.permit();
    await world.advance(1);
    const after = [heartbeat.permit(), heartbeat.state];
    await world.advance(10_000);
    api.fault = undefined;
    await world.advance(5_000);

    expect(last).toBe(true);
    expect(after).toEqual([false, { kind: "unknown", cause: "FERRY-K001" }]);
    expect(kinds).toEqual(["held", "unknown", "held"]);
  });

  it("is unknown from the start when the destination cannot be reached or lacks the namespace", async () => {
    const { world, server, start } = given();
    server.namespaces.clear();
    const away = start("pod-a");
    away.api.fault = unreachable;
    const homeless = start("pod-b");

    away.hold();
    homeless.hold();
    await world.advance(10_000);

    expect(away.heartbeat.state).toEqual({ kind: "unknown", cause: "FERRY-K001" });
    expect(homeless.heartbeat.state).toEqual({ kind: "unknown", cause: "no-namespace" });
  });

  it("tells a Role that is missing from one that went with its namespace, where it may ask for that", async () => {
    const { world, server, start } = given();
    const [poor, blind] = [start("pod-a", "a", { asksForNamespace: true }), start("pod-b")];
    for (const { api, hold } of [poor, blind]) {
      api.refusesLeases = true;
      hold();
    }

    await world.advance(10_000);
    const withNamespace = poor.heartbeat.state;
    server.namespaces.clear();
    await world.advance(10_000);

    expect(withNamespace).toEqual({ kind: "unknown", cause: "FERRY-K006" });
    expect(poor.heartbeat.state).toEqual({ kind: "unknown", cause: "no-namespace" });
    expect(blind.heartbeat.state).toEqual({ kind: "unknown", cause: "FERRY-K006" });
  });

  it("makes the namespace where it may, also when the Role in it is missing so far", async () => {
    const { world, server, start } = given();
    server.namespaces.clear();
    const maker = start("pod-a", "a", { asksForNamespace: true, createNamespace: true });
    maker.api.refusesLeases = true;

    maker.hold();
    await world.advance(0);
    const made = [...server.namespaces];
    maker.api.refusesLeases = false;
    await world.advance(10_000);

    expect(made).toEqual(["ns"]);
    expect(maker.heartbeat.state).toEqual({ kind: "held" });
  });

  it("never belongs to two processes of one name", async () => {
    const { world, start } = given();
    const first = start("pod-a", "first");
    const second = start("pod-a", "second");

    first.hold();
    second.hold();
    await world.advance(60_000);

    expect([first.heartbeat.permit(), second.heartbeat.permit()].toSorted()).toEqual([false, true]);
  });

  it("ends its term in bounded time when the destination hangs", async () => {
    const { world, start } = given();
    const { api, hold, end } = start("pod-a");
    const endTerm = hold();
    await world.advance(0);
    api.fault = "hang";

    const ended = { yet: false };
    const ending = endTerm().then(() => (ended.yet = true));
    await world.advance(5_000);

    expect(ended.yet).toBe(true);
    await ending;
    await end();
  });
});
