import { parse, parseAllDocuments } from "yaml";
import { describe, expect, it } from "vitest";
import { SECRET_NAME, SERVICE_NAME } from "../../../certs/object-names.js";
import { loadConfig } from "../../../src/config/load.js";
import { problemLine } from "../../../src/config/problems.js";
import { SETTINGS } from "../../../src/config/settings.js";
import * as labels from "../../../src/domain/labels.js";
import {
  granted,
  installedObject,
  installedObjects,
  type RoleRule,
} from "../../fixtures/installed-objects.js";
import { filesOf, textOf } from "../../fixtures/source-text.js";

const SOURCE = "manifests/source";
const DESTINATION = "manifests/destination";

/** What a pod of these manifests is made of, as far as tests look at it. */
interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly volumes: readonly object[];
    readonly containers: readonly {
      readonly image: string;
      readonly args: readonly string[];
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly env: readonly { readonly name: string }[];
      readonly readinessProbe: { readonly httpGet: { readonly path: string } };
      readonly livenessProbe: { readonly httpGet: { readonly path: string } };
      readonly resources: unknown;
    }[];
  };
}

interface DeploymentSpec {
  readonly replicas: number;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: PodTemplate;
}

const deployment = installedObject(SOURCE, "Deployment", "svc-ferry")["spec"] as DeploymentSpec;
const [container] = deployment.template.spec.containers;

function configuration(): ReturnType<typeof loadConfig> {
  return loadConfig({
    flags: { config: "ferry.yaml" },
    env: { HOSTNAME: "pod" },
    readFile: () => textOf(`${SOURCE}/ferry.yaml`),
  });
}

describe("manifests/source", () => {
  it("configures svc-ferry with settings that it knows, for the objects that are installed", () => {
    const loaded = configuration();

    expect(loaded.kind === "invalid" ? loaded.problems.map(problemLine) : []).toEqual([]);
    if (loaded.kind === "invalid") return;
    const { config } = loaded;
    expect(config.lease.namespace).toBe("k8s-sync");
    expect(config.webhook).toMatchObject({ on: true, configuration: "svc-ferry" });
    // What is mounted is what renewed tokens are kept in.
    expect(deployment.template.spec.volumes).toContainEqual({
      name: "destination",
      secret: { secretName: config.kubeconfigSecret },
    });
    expect(config.routes.map(({ namespaces, target }) => [namespaces, target.namespace])).toEqual([
      [["default"], "prod-test"],
    ]);
  });

  it("opens the ports that svc-ferry listens on, and no other", () => {
    const ports = { http: "httpPort", webhook: "webhookPort", "hand-off": "handOffPort" } as const;
    const expected = Object.entries(ports).map(([name, setting]) => ({
      name,
      containerPort: SETTINGS[setting].fallback,
      protocol: "TCP",
    }));

    expect(container?.ports).toEqual(expected);
  });

  it("asks the paths that the admin port has", () => {
    const app = textOf("src/telemetry/admin-app.ts");

    const paths = [container?.livenessProbe, container?.readinessProbe].map(
      (probe) => probe?.httpGet.path ?? "",
    );

    expect(paths).toEqual(["/health", "/ready/webhook"]);
    expect(paths.filter((path) => !app.includes(`app.get("${path}"`))).toEqual([]);
  });

  it("sets variables that svc-ferry reads", () => {
    const known = [
      "SVC_FERRY_CONFIG",
      "SVC_FERRY_POD_NAME",
      ...Object.values(SETTINGS).flatMap(({ fallbackVariable }) => fallbackVariable ?? []),
    ];

    const set = container?.env.map(({ name }) => name) ?? [];

    expect(set).toEqual(["SVC_FERRY_CONFIG", "SVC_FERRY_POD_NAME", "POD_IP"]);
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
  });

  it("selects the pods that it makes, wherever it selects pods", () => {
    const own = deployment.template.metadata.labels;
    const selected = JSON.stringify(own);
    const selections = [
      deployment.selector.matchLabels,
      ...installedObjects(SOURCE)
        .filter(({ kind }) => kind === "Service")
        .map(({ spec }) => (spec as { readonly selector: object }).selector),
      ...["PodDisruptionBudget", "NetworkPolicy"].map((kind) => {
        const { spec } = installedObject(SOURCE, kind, "svc-ferry") as unknown as {
          readonly spec: Readonly<Record<string, { readonly matchLabels: object }>>;
        };
        return (spec["selector"] ?? spec["podSelector"])?.matchLabels;
      }),
    ];

    expect(selections.map((one) => JSON.stringify(one))).toEqual(selections.map(() => selected));
  });

  it("calls Secret and Service of the certificates as the code does", () => {
    const namespace = "k8s-sync";

    expect(installedObject(SOURCE, "Secret", SECRET_NAME)).toMatchObject({
      metadata: { namespace },
    });
    expect(installedObject(SOURCE, "Service", SERVICE_NAME)).toMatchObject({
      metadata: { namespace },
      spec: { ports: [{ port: 443, targetPort: "webhook" }] },
    });
  });

  it("installs the Secret without content, so that applying it again takes nothing away", () => {
    const secret = installedObject(SOURCE, "Secret", SECRET_NAME);

    expect(Object.keys(secret)).toEqual(["apiVersion", "kind", "metadata", "type"]);
  });

  it("installs the webhook configurations that docs/admission.md shows", () => {
    const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(textOf("docs/admission.md")) ?? [];
    const shown = parseAllDocuments(yaml).map((document) => document.toJS() as unknown);

    const installed = installedObjects(SOURCE).filter(({ kind }) =>
      kind.endsWith("WebhookConfiguration"),
    );

    expect(installed).toEqual(shown);
  });

  it("runs the version that the package has", () => {
    const { version } = JSON.parse(textOf("package.json")) as { readonly version: string };
    const images = filesOf("manifests/**/*.yaml").flatMap(({ text }) =>
      [...text.matchAll(/^\s*image: (.*)$/gm)].map(([, image]) => image),
    );

    expect(images.length).toBeGreaterThan(2);
    expect(new Set(images)).toEqual(new Set([`registry.example.com/svc-ferry:${version}`]));
  });
});

describe("manifests/destination", () => {
  const policy = installedObject(DESTINATION, "ValidatingAdmissionPolicy", "svc-ferry-mirrors");
  const text = JSON.stringify(policy);

  it("locks what svc-ferry marks as its own, and names the source by the annotation that it writes", () => {
    expect(policy).toMatchObject({
      spec: {
        matchConstraints: {
          objectSelector: { matchExpressions: [{ key: labels.LINK_LABEL, operator: "Exists" }] },
        },
      },
    });
    expect(text).toContain(labels.SOURCE_ANNOTATION);
    expect(text).toContain(labels.PAUSED_ANNOTATION);
  });

  it("lets the account pass that it makes", () => {
    const { metadata } = installedObject(DESTINATION, "ServiceAccount", "svc-ferry");

    expect(text).toContain(`'system:serviceaccount:${metadata.namespace ?? ""}:${metadata.name}'`);
  });
});

describe.each([SOURCE, DESTINATION])("the roles of %s", (folder) => {
  const objects = installedObjects(folder);
  const rules = objects.flatMap((object) => (object["rules"] ?? []) as readonly RoleRule[]);

  it("grant nothing by wildcard, and nothing that leads to more rights", () => {
    const everything = rules.flatMap((rule) => Object.values(rule).flat() as readonly string[]);
    const leading = ["*", "escalate", "bind", "impersonate", "pods/exec"];

    expect(rules.length).toBeGreaterThan(4);
    expect(leading.filter((word) => everything.includes(word))).toEqual([]);
  });

  it("grant no Secret but by its name", () => {
    const secrets = granted(objects).filter(({ resource }) => resource === "secrets");

    expect(new Set(secrets.map(({ name }) => name))).toEqual(
      new Set(folder === SOURCE ? [SECRET_NAME, "svc-ferry-destination"] : []),
    );
  });

  it("grant no token but the destination's account its own", () => {
    const tokens = granted(objects).filter(({ resource }) => resource.includes("token"));

    const own = { group: "", resource: "serviceaccounts/token", verb: "create" };
    const where = { namespace: "svc-ferry", name: "svc-ferry" };
    expect(tokens).toEqual(folder === SOURCE ? [] : [{ ...own, ...where }]);
  });

  it("are each bound once, in their own namespace, to the account of this folder", () => {
    const account = objects.find(({ kind }) => kind === "ServiceAccount")?.metadata;
    const roles = objects.filter(({ kind }) => /^(Cluster)?Role$/.test(kind));
    const bindings = objects.filter(({ kind }) => kind.endsWith("RoleBinding"));
    const subject = { kind: "ServiceAccount", name: "svc-ferry", namespace: account?.namespace };

    expect(bindings.map(({ roleRef, subjects }) => [roleRef, subjects])).toEqual(
      bindings.map(({ kind, metadata: { name } }) => [
        {
          apiGroup: "rbac.authorization.k8s.io",
          kind: kind.replace("Binding", ""),
          name,
        },
        [subject],
      ]),
    );
    const places = (list: typeof roles): readonly string[] =>
      list.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
    expect(places(bindings)).toEqual(places(roles));
  });
});

describe("kustomizations", () => {
  it("name every file that lies beside them", () => {
    const forgotten = filesOf("manifests/{source,destination,components}/**/kustomization.yaml")
      .map(({ path, text }) => ({
        folder: path.replace(/\/[^/]+$/, ""),
        written: JSON.stringify(parse(text)),
      }))
      .flatMap(({ folder, written }) =>
        filesOf(`${folder}/*.{yaml,json}`)
          .map(({ path }) => path.slice(folder.length + 1))
          .filter((name) => name !== "kustomization.yaml" && !written.includes(`"${name}"`))
          .map((name) => `${folder}/${name}`),
      );

    expect(forgotten).toEqual([]);
  });
});
