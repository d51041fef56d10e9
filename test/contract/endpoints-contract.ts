/** The contract of EndpointSlices and Endpoints. */
import { ENDPOINT_SLICES, ENDPOINTS } from "../../src/ports/kube-resources.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cluster } from "./cluster-under-test.js";
import { ContractCase } from "./contract-case.js";

export function endpointsContract(cluster: Cluster): void {
  describe("endpoints", () => {
    let on: ContractCase;
    beforeEach(() => {
      on = new ContractCase(cluster);
    });
    afterEach(() => {
      on.end();
    });

    const slice = (...addresses: string[]): object => ({
      addressType: "IPv4",
      endpoints: [{ addresses }],
      ports: [{ port: 80 }],
    });

    it("completes a slice", async () => {
      const created = await on.created(ENDPOINT_SLICES, { name: "e-defaults" }, slice("10.0.0.1"));

      expect(created).toMatchObject({
        metadata: { generation: 1 },
        endpoints: [{ addresses: ["10.0.0.1"], conditions: {} }],
        ports: [{ name: "", protocol: "TCP", port: 80 }],
      });
    });

    it("gives empty lists back as null", async () => {
      const empty = { addressType: "IPv4", endpoints: [], ports: [] };

      const created = await on.created(ENDPOINT_SLICES, { name: "e-empty" }, empty);

      expect(created).toMatchObject({ endpoints: null, ports: null });
    });

    it("counts a generation for content and labels, not for annotations", async () => {
      const first = await on.created(ENDPOINT_SLICES, { name: "e-gen" }, slice("10.0.0.1"));

      const labelled = await on.patched(ENDPOINT_SLICES, first, {
        metadata: { labels: { a: "1" } },
      });
      const annotated = await on.patched(ENDPOINT_SLICES, labelled, {
        metadata: { annotations: { a: "1" } },
      });
      const changed = await on.patched(ENDPOINT_SLICES, annotated, {
        endpoints: [{ addresses: ["10.0.0.2"] }],
      });

      expect(labelled.metadata.generation).toBe(2);
      expect(annotated.metadata.generation).toBe(2);
      expect(changed.metadata.generation).toBe(3);
    });

    it("keeps the resourceVersion when a slice is written as it is", async () => {
      const seen = await on.created(ENDPOINT_SLICES, { name: "e-noop" }, slice("10.0.0.1"));

      const patched = await on.patched(ENDPOINT_SLICES, seen, slice("10.0.0.1"));

      expect(patched).toEqual(seen);
    });

    it("does not let the address type change", async () => {
      const seen = await on.created(ENDPOINT_SLICES, { name: "e-type" }, slice("10.0.0.1"));

      const result = await on.patch(ENDPOINT_SLICES, seen, { addressType: "IPv6", endpoints: [] });

      expect(result).toMatchObject({ kind: "invalid" });
    });

    it("takes 1000 endpoints and refuses 1001", async () => {
      const endpoints = Array.from({ length: 1001 }, (_, i) => ({
        addresses: [`10.1.${i >> 8}.${i & 255}`],
      }));
      const most = { addressType: "IPv4", endpoints: endpoints.slice(0, 1000) };

      expect(await on.create(ENDPOINT_SLICES, { name: "e-1000" }, most)).toMatchObject({
        kind: "done",
      });
      expect(
        await on.create(ENDPOINT_SLICES, { name: "e-1001" }, { ...most, endpoints }),
      ).toMatchObject({ kind: "invalid" });
    });

    it.each([
      ["a missing address type", "e-bad-1", { endpoints: [] }],
      ["an address of another family", "e-bad-2", slice("fd00::1")],
      ["a loopback address", "e-bad-3", slice("127.0.0.1")],
      ["a link-local address", "e-bad-4", slice("169.254.1.1")],
      ["an endpoint without address", "e-bad-5", slice()],
      [
        "two ports without names",
        "e-bad-6",
        { addressType: "IPv4", endpoints: [], ports: [{ port: 1 }, { port: 2 }] },
      ],
    ])("finds %s invalid", async (_what, name, object) => {
      expect(await on.create(ENDPOINT_SLICES, { name }, object)).toMatchObject({ kind: "invalid" });
    });

    it("gives Endpoints back in the order in which they were sent", async () => {
      const subsets = [
        {
          addresses: [{ ip: "10.0.0.9" }, { ip: "10.0.0.1" }],
          ports: [
            { name: "b", port: 81 },
            { name: "a", port: 80 },
          ],
        },
      ];

      const created = await on.created(ENDPOINTS, { name: "e-order" }, { subsets });

      expect(created).toMatchObject({
        subsets: [
          {
            addresses: [{ ip: "10.0.0.9" }, { ip: "10.0.0.1" }],
            ports: [
              { name: "b", port: 81, protocol: "TCP" },
              { name: "a", port: 80, protocol: "TCP" },
            ],
          },
        ],
      });
    });

    it("takes Endpoints without subsets", async () => {
      const created = await on.created(ENDPOINTS, { name: "e-none" }, { subsets: [] });

      expect(created).not.toHaveProperty("subsets");
    });

    it("finds a subset without addresses invalid", async () => {
      const subsets = [{ addresses: [], ports: [{ port: 80 }] }];

      const result = await on.create(ENDPOINTS, { name: "e-bad-7" }, { subsets });

      expect(result).toMatchObject({ kind: "invalid" });
    });
  });
}
