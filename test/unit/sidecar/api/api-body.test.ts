import { describe, expect, it } from "vitest";
import { apiBody } from "../../../../sidecar/api/api-body.js";
import type { Family } from "../../../../sidecar/api/destination-families.js";
import { markOf } from "../../../../sidecar/api/mark.js";
import { serviceShape } from "../../../../sidecar/api/service-spec.js";
import type { StoredObject } from "../../../../sidecar/wire/stored-object.js";
import {
  deployment,
  entry,
  envelope,
  field,
  json,
  number,
  object,
  wireKind,
} from "../../../fixtures/wire/values.js";

const MARK = markOf("east", "uid-1");
const REPLACED = { uid: "uid-there", resourceVersion: "77", annotations: {}, finalizers: [] };
const DUAL: readonly Family[] = ["IPv4", "IPv6"];

const text = (object: StoredObject): string => object.bytes.toString("latin1");

/** The body as it would be read back. */
function body(
  source: StoredObject,
  {
    families = ["IPv4"],
    ...more
  }: { families?: readonly Family[]; replaced?: typeof REPLACED } = {},
): StoredObject {
  const shape = source.kind === "Service" ? serviceShape(source, families) : undefined;
  const wanted = { object: source, kind: wireKind(source), owners: [] };
  return object(apiBody({ wanted, mark: MARK, replaced: more.replaced, shape }).bytes);
}

function service(spec: readonly Buffer[]): StoredObject {
  const metadata = field(1, [field(1, "web"), field(3, "shop"), field(5, "uid-1"), field(17, "m")]);
  return object(envelope("v1", "Service", [metadata, field(2, spec), field(3, "status")]));
}

const PORT = [
  field(1, "http"),
  field(2, "TCP"),
  number(3, 80),
  field(4, "t"),
  number(5, 301),
  field(6, "h2c"),
];

function expected(spec: readonly Buffer[]): StoredObject {
  const labels = entry(11, "svc-ferry.io/link", "mirror.east");
  const annotations = [
    entry(12, "svc-ferry.io/mirror-link", "east"),
    entry(12, "svc-ferry.io/source-uid", "uid-1"),
  ];
  const metadata = field(1, [field(1, "web"), field(3, "shop"), labels, ...annotations]);
  return object(envelope("v1", "Service", [metadata, field(2, spec)]));
}

describe("the body of a Service", () => {
  it("keeps what is on the list, byte for byte, and nothing else", () => {
    const kept = [entry(2, "app", "web"), field(4, "LoadBalancer"), field(7, "None")];
    const source = service([
      field(1, PORT),
      ...kept.slice(0, 1),
      field(3, "10.96.0.9"),
      ...kept.slice(1),
      field(5, "192.0.2.1"),
      field(8, "192.0.2.2"),
      field(9, "192.0.2.0/24"),
      field(11, "Local"),
      number(12, 302),
      field(18, "10.96.0.9"),
      field(22, "Cluster"),
      field(99, "of a newer server"),
    ]);

    const made = body(source);

    const port = [field(1, "http"), field(2, "TCP"), number(3, 80), field(4, "t"), field(6, "h2c")];
    const spec = [
      field(1, port),
      ...kept,
      field(9, "192.0.2.0/24"),
      field(11, "Local"),
      field(22, "Cluster"),
    ];
    expect(text(made)).toBe(text(expected(spec)));
  });

  it("stays headless", () => {
    const made = body(service([field(3, "None"), field(4, "ClusterIP"), field(18, "None")]));

    const spec = [field(3, "None"), field(4, "ClusterIP"), field(18, "None")];
    expect(text(made)).toBe(text(expected(spec)));
  });

  it("loses the external traffic policy where no address from outside is left", () => {
    const made = body(service([field(4, "ClusterIP"), field(5, "192.0.2.1"), field(11, "Local")]));

    expect(text(made)).toBe(text(expected([field(4, "ClusterIP")])));
  });

  it.each<readonly [string, readonly Family[], readonly string[], string, readonly Buffer[]]>([
    [
      "both, of which the destination has both",
      DUAL,
      DUAL,
      "RequireDualStack",
      [field(17, "RequireDualStack"), field(19, "IPv4"), field(19, "IPv6")],
    ],
    [
      "both, of which the destination has one",
      ["IPv6"],
      DUAL,
      "RequireDualStack",
      [field(17, "SingleStack"), field(19, "IPv6")],
    ],
    ["one that the destination has not", ["IPv4"], ["IPv6"], "SingleStack", []],
  ])("asks for the families %s", (_, offered, families, policy, wanted) => {
    const spec = [field(17, policy), ...families.map((family) => field(19, family))];

    const made = body(service(spec), { families: offered });

    expect(text(made)).toBe(text(expected(wanted)));
  });

  it("is the same from JSON", () => {
    const metadata =
      '"metadata":{"name":"web","namespace":"shop","uid":"uid-1","creationTimestamp":"2026-01-01T00:00:00Z"}';
    const ports = '"ports":[{"name":"http","port":80,"targetPort":8080,"nodePort":30123}]';
    const spec = `"spec":{"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"],"externalIPs":["192.0.2.1"],"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"PreferDualStack",${ports},"selector":{"app":"web"},"type":"NodePort"}`;
    const source = json(
      `{"apiVersion":"v1","kind":"Service",${metadata},${spec},"status":{"loadBalancer":{}}}`,
    );

    const made = body(source);

    expect(JSON.parse(text(made))).toEqual({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "shop", ...MARK },
      spec: {
        type: "NodePort",
        selector: { app: "web" },
        ports: [{ name: "http", port: 80, targetPort: 8080 }],
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
      },
    });
  });
});

describe("the body of any other object", () => {
  it("leaves to the server what only it gives", () => {
    const made = body(object(deployment()));

    expect(made.meta).toMatchObject({
      name: "web",
      namespace: "shop",
      uid: "",
      generation: 0n,
      deleting: false,
      labels: { app: "web", tier: "front", "svc-ferry.io/link": "mirror.east" },
      annotations: MARK.annotations,
      ownerReferences: [],
      finalizers: [],
    });
    expect(text(made)).not.toContain("managed");
    expect(text(made)).not.toContain("status");
    expect(text(made)).toContain("spec");
  });

  it("carries the uid and version of what it replaces, and keeps what its controllers put there", () => {
    const replaced = {
      ...REPLACED,
      finalizers: ["service.kubernetes.io/load-balancer-cleanup"],
      annotations: { "deployment.kubernetes.io/revision": "9" },
    };
    const source = object(deployment());
    const kind = wireKind(source, { localAnnotations: ["deployment.kubernetes.io/revision"] });
    const wanted = { object: source, kind, owners: [] };

    const made = object(apiBody({ wanted, mark: MARK, replaced, shape: undefined }).bytes);

    expect(made.meta.uid).toBe("uid-there");
    expect(text(made)).toContain(field(6, "77").toString("latin1"));
    expect(made.meta.finalizers).toEqual(["service.kubernetes.io/load-balancer-cleanup"]);
    expect(made.meta.annotations["deployment.kubernetes.io/revision"]).toBe("9");
  });

  it("keeps the status of a custom resource that has no status subresource: it is data like all else", () => {
    const source = json(
      '{"apiVersion":"a.io/v1","kind":"A","metadata":{"name":"a"},"status":{"b":1}}',
    );
    const kind = wireKind(source, { hasStatus: false });
    const wanted = { object: source, kind, owners: [] };

    const made = apiBody({ wanted, mark: MARK, replaced: undefined, shape: undefined });

    expect(JSON.parse(made.bytes.toString())).toMatchObject({ status: { b: 1 } });
  });
});

describe("the mark", () => {
  it("is a label's value however long the link's name is", () => {
    const link = `${"a".repeat(55)}.${"b".repeat(7)}`;

    const { labels, annotations } = markOf(link, "uid-1");

    expect(labels["svc-ferry.io/link"]).toBe(`mirror.${"a".repeat(55)}`);
    expect(annotations["svc-ferry.io/mirror-link"]).toBe(link);
  });
});
