import { expect, it } from "vitest";
import { crdJson, storedJson } from "../../../fixtures/crds.js";
import { MirrorBed, PREFIX } from "../../../fixtures/mirror-bed.js";

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

it("an object that the destination's API server has stored at a newer version is no drift, and the source's is written on", async () => {
  const { spec, ...crd } = crdJson("example.com", "widgets", "Widget");
  const status = { subresources: { status: {} } };
  const versions = [
    { name: "v1", served: true, storage: true, ...status },
    { name: "v1beta1", served: true, storage: false, ...status },
  ];
  const at = "example.com/widgets/shop/a";
  const widget = (version: string, size: number, more = {}): ReturnType<typeof storedJson> =>
    storedJson({
      apiVersion: `example.com/${version}`,
      kind: "Widget",
      metadata: { generation: 1, name: "a", namespace: "shop", uid: "u" },
      spec: { size },
      ...more,
    });
  const bed = new MirrorBed({
    rules: "filters: { secondary: [{ group: example.com, resources: [{ kind: Widget }] }] }",
  });
  const put = (etcd: typeof bed.source, path: string, { bytes }: typeof DEFINITION) =>
    bed.write(etcd, { kind: "put", key: PREFIX + path, value: bytes });
  const DEFINITION = storedJson({ ...crd, spec: { ...Object(spec), versions } });
  const definition = "apiextensions.k8s.io/customresourcedefinitions/widgets.example.com";
  await bed.putInto(bed.destination, "namespaces/shop");
  await put(bed.source, definition, DEFINITION);
  await put(bed.destination, definition, DEFINITION);
  await put(bed.source, at, widget("v1beta1", 1));
  const { mirror } = await bed.follow();
  bed.takeWrites();

  await put(bed.destination, at, widget("v1", 1, { status: { seen: true } }));
  await bed.settle(5_000);
  const writes = bed.takeWrites();
  await put(bed.source, at, widget("v1beta1", 2));
  await bed.settle();

  expect(writes).toEqual([`put ${at}`]);
  expect(mirror.status.drift).toMatchObject({ repaired: 0 });
  expect(bed.object(at)).toMatchObject({
    apiVersion: "example.com/v1beta1",
    spec: { size: 2 },
    status: { seen: true },
  });
});
