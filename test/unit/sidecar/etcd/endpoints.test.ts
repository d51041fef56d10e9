import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Endpoints, type Member } from "../../../../sidecar/etcd/endpoints.js";
import { ETCD_DEFAULTS } from "../../../../sidecar/etcd/options.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

describe("the endpoints of an etcd", () => {
  let clock: VirtualClock;
  let endpoints: Endpoints;
  beforeEach(() => {
    clock = new VirtualClock();
    // The longest pauses: 250 ms, 500 ms, 1 s …
    const random = { next: () => 1, id: () => "0" };
    const all = ["http://a:1", "http://b:1", "http://c:1"];
    const options = { ...ETCD_DEFAULTS, name: "source", endpoints: all };
    endpoints = new Endpoints(options, { clock, random }, undefined);
  });
  afterEach(() => endpoints.close());

  const order = (): string =>
    endpoints
      .inOrder()
      .map(({ address }) => address.slice(0, 1))
      .join("");
  const member = (name: string): Member => {
    const found = endpoints.inOrder().find(({ address }) => address.startsWith(name));
    if (found === undefined) throw new Error(`no endpoint ${name}`);
    return found;
  };

  it("are tried as they were given, until one has worked, which goes first", () => {
    expect(order()).toBe("abc");

    endpoints.worked(member("c"));

    expect(order()).toBe("cab");
  });

  it("go last for a while when they failed, longer with each failure", async () => {
    endpoints.failed(member("a"), "unreachable");
    expect(order()).toBe("bca");
    await clock.advance(250);
    expect(order()).toBe("abc");

    endpoints.failed(member("a"), "unreachable");
    await clock.advance(499);
    expect(order()).toBe("bca");
    await clock.advance(1);
    expect(order()).toBe("abc");
  });

  it("are all still tried when all have failed, the one whose pause ends first before the others", async () => {
    endpoints.failed(member("a"), "unreachable");
    endpoints.failed(member("a"), "unreachable");
    endpoints.failed(member("b"), "unreachable");
    await clock.advance(10);
    endpoints.failed(member("c"), "unreachable");

    expect(order()).toBe("bca");
  });

  it("leave a learner alone for half a minute", async () => {
    endpoints.failed(member("a"), "learner");

    await clock.advance(29_999);
    expect(order()).toBe("bca");
    await clock.advance(1);
    expect(order()).toBe("abc");
  });

  it("forget failures when they work again", async () => {
    endpoints.failed(member("a"), "unreachable");
    endpoints.failed(member("a"), "unreachable");

    endpoints.worked(member("a"));
    endpoints.failed(member("a"), "unreachable");

    await clock.advance(250);
    expect(order()).toBe("abc");
  });
});
