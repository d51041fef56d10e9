import { describe, expect, it } from "vitest";
import { parseCidr } from "../../../../src/domain/ip.js";
import {
  desiredSlice,
  mirrorContent,
  parseContent,
  sourceContent,
  type SliceContext,
} from "../../../../src/domain/slice.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { rawSlice } from "../../../fixtures/slices.js";
import { LINK } from "../../../fixtures/service.js";

const CONTEXT: SliceContext = {
  link: LINK,
  mark: { key: "sync", value: "true-external" },
  target: "prod/web",
  headless: false,
  cidrs: [],
  digest: sha256,
};

const web = rawSlice("shop/web-1", "web").address("10.0.0.1");

describe("sourceContent", () => {
  it("leaves out what means nothing in another cluster", () => {
    const endpoint = {
      addresses: ["10.0.0.1"],
      conditions: { ready: true, serving: null, terminating: undefined },
      hostname: "web-0",
      nodeName: "node-1",
      zone: "a",
      hints: { forZones: [{ name: "a" }] },
      targetRef: { kind: "Pod", name: "web-0" },
    };

    const { endpoints } = parseContent(sourceContent([endpoint as never], []));

    expect(endpoints).toEqual([
      { addresses: ["10.0.0.1"], conditions: { ready: true }, hostname: "web-0" },
    ]);
  });

  it("keeps a condition that is not set unset, which means ready", () => {
    const { endpoints } = parseContent(sourceContent([{ addresses: ["10.0.0.1"] }], []));

    expect(endpoints).toEqual([{ addresses: ["10.0.0.1"], conditions: {} }]);
  });

  it("writes out the defaults of ports", () => {
    const { ports } = parseContent(sourceContent([], [{ port: 80 }, { name: "all" }]));

    expect(ports).toEqual([
      { name: "", port: 80, protocol: "TCP" },
      { name: "all", protocol: "TCP" },
    ]);
  });

  it.each([[undefined], [null], [[]]])("reads %j as no endpoints and no ports", (nothing) => {
    expect(sourceContent(nothing, nothing)).toBe('{"endpoints":[],"ports":[]}');
  });

  it("gives the same text for the same content, whatever the order of fields", () => {
    const one = sourceContent(
      [{ hostname: "a", conditions: { terminating: false, ready: true }, addresses: ["10.0.0.1"] }],
      [{ protocol: "TCP", port: 80, name: "http" }],
    );
    const other = sourceContent(
      [{ addresses: ["10.0.0.1"], conditions: { ready: true, terminating: false }, hostname: "a" }],
      [{ name: "http", port: 80, protocol: "TCP" }],
    );

    expect(one).toBe(other);
  });
});

describe("mirrorContent", () => {
  it("equals what was written", () => {
    const { endpoints, ports } = parseContent(web.parsed().content);

    expect(mirrorContent(endpoints as never, ports)).toBe(web.parsed().content);
  });

  it("differs when somebody put a zone into an endpoint", () => {
    const [endpoint] = web.endpoints;

    expect(mirrorContent([{ ...endpoint, zone: "a" } as never], web.ports)).not.toBe(
      web.parsed().content,
    );
  });
});

describe("desiredSlice", () => {
  it("carries exactly these labels, and the source's content as it is", () => {
    const slice = desiredSlice(web.parsed(), CONTEXT);

    expect(slice).toMatchObject({
      addressType: "IPv4",
      source: "shop/web-1",
      content: web.parsed().content,
      digest: web.parsed().digest,
      dropped: 0,
      labels: {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "svc-ferry.io",
        "svc-ferry.io/link": LINK,
        sync: "true-external",
      },
    });
    expect(Object.keys(slice.labels)).toHaveLength(4);
  });

  it("is labelled headless as the mirror is", () => {
    const { labels } = desiredSlice(web.parsed(), { ...CONTEXT, headless: true });

    expect(labels["service.kubernetes.io/headless"]).toBe("");
  });

  it("is named after the target, cut, and after what makes it unique", () => {
    const name = (target: `${string}/${string}`): string =>
      desiredSlice(web.parsed(), { ...CONTEXT, target }).name;

    expect(name("prod/web")).toMatch(/^web-[0-9a-f]{20}$/);
    expect(name(`prod/${"a".repeat(63)}`)).toHaveLength(61);
    expect(name(`prod/${"a".repeat(38)}-----b`)).toMatch(/^a{38}-[0-9a-f]{20}$/);
  });

  it("has a name of its own for each link, source namespace, slice and address type", () => {
    const names = [
      desiredSlice(web.parsed(), CONTEXT),
      desiredSlice(web.parsed(), { ...CONTEXT, link: "other" }),
      desiredSlice(rawSlice("cart/web-1", "web").parsed(), CONTEXT),
      desiredSlice(rawSlice("shop/web-2", "web").parsed(), CONTEXT),
      desiredSlice(web.of("IPv6").parsed(), CONTEXT),
    ].map((slice) => slice.name);

    expect(new Set(names).size).toBe(names.length);
  });

  it("keeps its name for good: it is what says that a slice is there already", () => {
    expect(desiredSlice(web.parsed(), CONTEXT).name).toBe("web-09d7c0ef45ac8fb995e7");
  });

  it("drops addresses that mean another machine there, and counts them", () => {
    const mixed = web.address("127.0.0.1").address("169.254.1.1");

    const slice = desiredSlice(mixed.parsed(), CONTEXT);

    expect(slice.dropped).toBe(2);
    expect(parseContent(slice.content).endpoints).toEqual(web.endpoints);
    expect(slice.digest).toBe(web.parsed().digest);
  });

  it("drops addresses outside the route's ranges", () => {
    const cidrs = [parseCidr("10.0.0.0/24")].flatMap((cidr) => cidr ?? []);
    const mixed = web.address("10.0.1.1").address("10.0.0.2");

    const slice = desiredSlice(mixed.parsed(), { ...CONTEXT, cidrs });

    expect(parseContent(slice.content).endpoints.flatMap(({ addresses }) => addresses)).toEqual([
      "10.0.0.1",
      "10.0.0.2",
    ]);
    expect(slice.dropped).toBe(1);
  });

  it("does not ask whether the names of an FQDN slice are allowed addresses", () => {
    const names = rawSlice("shop/web-1", "web").of("FQDN").address("web.example.com");

    expect(desiredSlice(names.parsed(), CONTEXT).dropped).toBe(0);
  });
});
