import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  desiredEndpoints,
  endpointsContent,
  type EndpointSubset,
} from "../../src/domain/endpoints.js";
import { planEndpoints, type EndpointsView } from "../../src/domain/plan-endpoints.js";
import { desiredSlice, parseContent, type DesiredSlice } from "../../src/domain/slice.js";
import { sha256 } from "../../src/runtime/sha256.js";
import { slices } from "../fixtures/arbitraries.js";
import { route } from "../fixtures/route.js";
import { LINK } from "../fixtures/service.js";
import type { SliceBuilder } from "../fixtures/slices.js";

const { mark } = route();
const CONTEXT = {
  link: LINK,
  mark,
  marks: [mark],
  cidrs: [],
  digest: sha256,
  mode: "both",
} as const;

function wanted(all: readonly SliceBuilder[]): readonly DesiredSlice[] {
  const target = "prod/web";
  return all.map((one) => desiredSlice(one.parsed(), { ...CONTEXT, target, headless: false }));
}

function endpoints(all: readonly SliceBuilder[]) {
  const more = { source: "shop/web", family: "IPv4", publishNotReadyAddresses: false } as const;
  return desiredEndpoints(wanted(all), { ...CONTEXT, ...more });
}

describe("Endpoints", () => {
  it("hold each ready address with each port of its slices, and nothing else", () => {
    fc.assert(
      fc.property(slices, (all) => {
        const expected = wanted(all).flatMap(({ content }) => {
          const { endpoints: members, ports } = parseContent(content);
          const ready = members.filter(({ conditions }) => conditions?.ready !== false);
          const names = ports.length === 0 ? [""] : ports.map(({ name = "" }) => name);
          const ips = ready.flatMap(({ addresses }) => addresses);
          return ips.flatMap((ip) => names.map((name) => `${ip} ${name}`));
        });

        const actual = pairs(endpoints(all).subsets);

        expect(new Set(actual)).toEqual(new Set(expected));
      }),
    );
  });

  it("do not depend on the order of slices", () => {
    fc.assert(
      fc.property(slices, (all) => {
        const [one, other] = [endpoints(all), endpoints([...all].reverse())];

        expect(other.content).toBe(one.content);
        expect(other.subsets).toEqual(one.subsets);
      }),
    );
  });

  it("mean the same after an API server has repacked them", () => {
    fc.assert(
      fc.property(slices, (all) => {
        const { subsets, content } = endpoints(all);

        expect(endpointsContent(repacked(subsets))).toBe(content);
      }),
    );
  });
});

describe("planEndpoints", () => {
  it("has nothing left to write once its writes are done", () => {
    fc.assert(
      fc.property(slices, slices, fc.boolean(), (before, after, headless) => {
        const there = made(wanted(before), endpoints(before).subsets);
        const view: EndpointsView = {
          target: "prod/web",
          source: "shop/web",
          mirrorUid: "uid",
          headless,
          external: false,
          family: "IPv4",
          publishNotReadyAddresses: false,
          sourceSlices: after.map((one) => one.parsed()),
          foreignSlices: [],
          ...there,
        };
        const context = { ...CONTEXT, mode: "both" } as const;

        const first = planEndpoints(view, context);
        const labels = headless ? { "service.kubernetes.io/headless": "" } : {};
        const done = made(wanted(after), endpoints(after).subsets, labels);
        const second = planEndpoints({ ...view, ...done }, context);

        expect(first.slices.length + first.deletions.length).toBeGreaterThanOrEqual(
          Math.abs(after.length - before.length),
        );
        expect([...second.slices, ...second.endpoints, ...second.deletions]).toEqual([]);
      }),
    );
  });
});

/** These slices and Endpoints as they lie in a destination. */
function made(
  all: readonly DesiredSlice[],
  subsets: readonly EndpointSubset[],
  more: Readonly<Record<string, string>> = {},
): Pick<EndpointsView, "slices" | "endpoints"> {
  const place = { namespace: "prod", uid: "u", resourceVersion: "1", ownerUid: "uid" };
  const { labels, annotations } = endpoints([]);
  return {
    slices: all.map(({ name, source, digest, labels: own }) => ({
      ...place,
      name,
      source,
      digest,
      labels: { ...own, ...more },
      ownerKey: "prod/web",
    })),
    endpoints: {
      ...place,
      name: "web",
      labels,
      annotations,
      digest: sha256(endpointsContent(subsets), 32),
    },
  };
}

function pairs(subsets: readonly EndpointSubset[]): readonly string[] {
  return subsets.flatMap(({ addresses, ports }) =>
    (addresses ?? []).flatMap(({ ip }) =>
      (ports?.length ? ports : [{ name: "" }]).map(({ name = "" }) => `${ip} ${name}`),
    ),
  );
}

/** As pkg/api/endpoints, RepackSubsets: one subset for each set of ports, an address in one of them only. */
function repacked(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  const portsByIp = new Map<string, Map<string, NonNullable<EndpointSubset["ports"]>[number]>>();
  for (const { addresses, ports } of subsets) {
    for (const { ip } of addresses ?? []) {
      const known = portsByIp.get(ip) ?? new Map();
      for (const one of ports ?? []) known.set(JSON.stringify(one), one);
      portsByIp.set(ip, known);
    }
  }
  // A subset without ports keeps its addresses beside those with ports.
  const bare = subsets.filter(({ ports }) => (ports ?? []).length === 0);
  const packed = [...portsByIp].filter(([, known]) => known.size > 0);
  return [
    ...bare,
    ...packed.map(([ip, known]) => ({ addresses: [{ ip }], ports: [...known.values()].reverse() })),
  ];
}
