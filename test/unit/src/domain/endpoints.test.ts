import { describe, expect, it } from "vitest";
import {
  desiredEndpoints,
  endpointsContent,
  MAX_ENDPOINTS_ADDRESSES,
  type EndpointsContext,
} from "../../../../src/domain/endpoints.js";
import { desiredSlice } from "../../../../src/domain/slice.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { rawSlice, type SliceBuilder } from "../../../fixtures/slices.js";
import { LINK } from "../../../fixtures/service.js";

const MARK = { key: "sync", value: "true-external" };
const CONTEXT: EndpointsContext = {
  link: LINK,
  mark: MARK,
  mode: "both",
  source: "shop/web",
  family: "IPv4",
  publishNotReadyAddresses: false,
};

function endpoints(slices: readonly SliceBuilder[], more: Partial<EndpointsContext> = {}) {
  const context = { link: LINK, mark: MARK, target: "prod/web", headless: false } as const;
  const wanted = slices.map((slice) =>
    desiredSlice(slice.parsed(), { ...context, cidrs: [], digest: sha256 }),
  );
  return desiredEndpoints(wanted, { ...CONTEXT, ...more });
}

const http = { name: "http", port: 8080, protocol: "TCP" };
const web = rawSlice("shop/web-1", "web").port(http);

describe("desiredEndpoints", () => {
  it("lets the destination's controller make slices when there are none of ours", () => {
    const { labels } = endpoints([], { mode: "endpoints" });

    expect(labels).not.toHaveProperty(["endpointslice.kubernetes.io/skip-mirror"]);
  });

  it("keeps the mirroring controller away and says whose they are", () => {
    const { labels, annotations } = endpoints([web]);

    expect(labels).toEqual({
      "app.kubernetes.io/managed-by": "svc-ferry",
      "svc-ferry.io/link": LINK,
      sync: "true-external",
      "endpointslice.kubernetes.io/skip-mirror": "true",
    });
    expect(annotations).toEqual({ "svc-ferry.io/source": "shop/web" });
  });

  it("has no subsets without addresses", () => {
    expect(endpoints([])).toMatchObject({ subsets: [], content: "", ready: 0 });
    expect(endpoints([web]).subsets).toEqual([]);
  });

  it("groups addresses by ports, over all slices, in one order", () => {
    const more = rawSlice("shop/web-2", "web").port(http).address("10.0.0.1");
    const other = rawSlice("shop/web-3", "web")
      .port({ ...http, port: 9090 })
      .address("10.0.0.9");

    const { subsets, ready } = endpoints([web.address("10.0.0.2"), other, more]);

    expect(subsets).toEqual([
      { addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], ports: [http] },
      { addresses: [{ ip: "10.0.0.9" }], ports: [{ ...http, port: 9090 }] },
    ]);
    expect(ready).toBe(3);
  });

  it("holds ready addresses only, where a condition that is not set means ready", () => {
    const mixed = web
      .address("10.0.0.1", { conditions: { ready: false } })
      .address("10.0.0.2", { conditions: {} })
      .address("10.0.0.3");

    expect(ips(endpoints([mixed]))).toEqual(["10.0.0.2", "10.0.0.3"]);
    expect(ips(endpoints([mixed], { publishNotReadyAddresses: true }))).toHaveLength(3);
  });

  it("knows the mirror's primary family only, and no names", () => {
    const slices = [
      web.address("10.0.0.1"),
      rawSlice("shop/web-6", "web").of("IPv6").port(http).address("fd00::1"),
      rawSlice("shop/web-n", "web").of("FQDN").port(http).address("web.example.com"),
    ];

    expect(ips(endpoints(slices))).toEqual(["10.0.0.1"]);
    expect(ips(endpoints(slices, { family: "IPv6" }))).toEqual(["fd00::1"]);
    expect(ips(endpoints(slices, { family: undefined }))).toEqual(["10.0.0.1", "fd00::1"]);
  });

  it("takes host names along, and leaves out ports that Endpoints cannot say", () => {
    const slice = web
      .port({ name: "", port: 80, protocol: "TCP" }, { name: "all", protocol: "TCP" })
      .address("10.0.0.1", { hostname: "web-0" });

    expect(endpoints([slice]).subsets).toEqual([
      {
        addresses: [{ ip: "10.0.0.1", hostname: "web-0" }],
        ports: [{ port: 80, protocol: "TCP" }],
      },
    ]);
  });

  it("truncates as the endpoints controller does, and says so", () => {
    const count = MAX_ENDPOINTS_ADDRESSES + 1;
    const many = Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const slice = many.reduce((all, ip) => all.address(ip), web);

    const full = endpoints([slice]);

    expect(full.annotations["endpoints.kubernetes.io/over-capacity"]).toBe("truncated");
    expect(ips(full)).toHaveLength(MAX_ENDPOINTS_ADDRESSES);
    expect(full.ready).toBe(count);
  });

  it("gives one address one host name, as an API server that repacks subsets does", () => {
    const other = rawSlice("shop/web-2", "web").port({ ...http, name: "admin", port: 9090 });

    const { subsets } = endpoints([
      web.address("10.0.0.1", { hostname: "a" }),
      other.address("10.0.0.1", { hostname: "b" }),
    ]);

    const names = subsets
      .flatMap(({ addresses }) => addresses ?? [])
      .map(({ hostname }) => hostname);
    expect(new Set(names).size).toBe(1);
  });
});

describe("endpointsContent", () => {
  const address = (ip: string) => ({ ip });

  it("means the same however the API server packs the subsets", () => {
    const metrics = { name: "metrics", port: 9090, protocol: "TCP" };
    const sent = [
      { addresses: [address("10.0.0.1")], ports: [http] },
      { addresses: [address("10.0.0.2"), address("10.0.0.1")], ports: [metrics] },
    ];
    const packed = [
      { addresses: [address("10.0.0.2")], ports: [metrics] },
      { addresses: [address("10.0.0.1")], ports: [metrics, http] },
    ];

    expect(endpointsContent(packed)).toBe(endpointsContent(sent));
  });

  it("counts an address and port once, though two subsets name them", () => {
    const one = { addresses: [address("10.0.0.1")], ports: [http] };

    expect(endpointsContent([one, one])).toBe(endpointsContent([one]));
  });

  it.each([
    ["another address", [{ addresses: [address("10.0.0.2")], ports: [http] }]],
    ["not ready", [{ notReadyAddresses: [address("10.0.0.1")], ports: [http] }]],
    ["another port", [{ addresses: [address("10.0.0.1")], ports: [{ ...http, port: 1 }] }]],
    [
      "another protocol",
      [{ addresses: [address("10.0.0.1")], ports: [{ ...http, protocol: "UDP" }] }],
    ],
    ["another host name", [{ addresses: [{ ip: "10.0.0.1", hostname: "a" }], ports: [http] }]],
    ["no ports", [{ addresses: [address("10.0.0.1")] }]],
    ["nothing", undefined],
  ])("differs for %s", (_, subsets) => {
    const one = [{ addresses: [address("10.0.0.1")], ports: [http] }];

    expect(endpointsContent(subsets)).not.toBe(endpointsContent(one));
  });
});

function ips({ subsets }: ReturnType<typeof desiredEndpoints>): readonly string[] {
  return subsets.flatMap(({ addresses }) => addresses ?? []).map(({ ip }) => ip);
}
