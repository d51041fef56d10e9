import { expect, it } from "vitest";
import { MirrorBed } from "../../../fixtures/mirror-bed.js";

const PATH = "deployments/shop/web";

/** @param choice what the rule says besides */
const deployments = (choice: string): string => `
filters:
  secondary:
    - { ${choice}group: apps, resources: [{ group: apps, version: v1, kind: Deployment }], allow: [workloads] }
`;

it.each([
  ["stays the destination's", "", { there: 2 }],
  ["is the source's where a rule says so", "status: mirror, ", { from: "source" }],
])("a status %s", async (_, choice, status) => {
  const bed = new MirrorBed({ rules: deployments(choice) });
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

it("a status that a rule wants follows the source also where nothing else has changed, and is repaired", async () => {
  const bed = new MirrorBed({ rules: deployments("status: mirror, ") });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put(PATH, { spec: { replicas: 1 }, status: { ready: 0 } });
  const { mirror } = await bed.follow();

  await bed.put(PATH, { spec: { replicas: 1 }, status: { ready: 1 } });
  await bed.settle();
  const followed = bed.object(PATH);
  await bed.putInto(bed.destination, PATH, { ...followed, status: { ready: 9 } });
  await bed.settle(5_000);

  expect(followed).toMatchObject({ status: { ready: 1 } });
  expect(bed.object(PATH)).toMatchObject({ status: { ready: 1 } });
  expect(mirror.status.drift).toMatchObject({ repaired: 1 });
});

it("a finalizer that a controller of the destination puts on an object stays there, and is no drift", async () => {
  const bed = new MirrorBed({ rules: deployments("") });
  await bed.putInto(bed.destination, "namespaces/shop");
  await bed.put(PATH, { spec: { replicas: 1 } });
  const { mirror } = await bed.follow();
  bed.takeWrites();

  const held = { ...bed.object(PATH), metadata: { finalizers: ["example.com/here"] } };
  await bed.putInto(bed.destination, PATH, held);
  await bed.settle(5_000);
  const writes = bed.takeWrites();
  await bed.put(PATH, { spec: { replicas: 2 } });
  await bed.settle();

  expect(writes).toEqual([`put ${PATH}`]);
  expect(mirror.status.drift).toMatchObject({ repaired: 0 });
  expect(bed.object(PATH)).toMatchObject({
    metadata: { finalizers: ["example.com/here"] },
    spec: { replicas: 2 },
  });
});
