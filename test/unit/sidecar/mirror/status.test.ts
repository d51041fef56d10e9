import { expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const PATH = "deployments/shop/web";

it.each([
  ["stays the destination's", "", { there: 2 }],
  ["is the source's where a rule says so", "status: mirror, ", { from: "source" }],
])("a status %s", async (_, choice, status) => {
  const rules = `
filters:
  secondary:
    - { ${choice}group: apps, resources: [{ group: apps, version: v1, kind: Deployment }], allow: [workloads] }
`;
  const bed = new MirrorBed({ rules });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put(PATH, { spec: { replicas: 1 }, status: { from: "first" } });
  await bed.follow();
  const made = bed.object(PATH) ?? {};
  await bed.putInto(bed.destination, PATH, { ...made, status: { there: 2 } });
  await bed.settle();

  await bed.put(PATH, { spec: { replicas: 2 }, status: { from: "source" } });
  await bed.settle();

  expect(bed.object(PATH)).toMatchObject({ spec: { replicas: 2 }, status });
});
