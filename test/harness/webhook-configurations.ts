/** The two objects that make an API server ask svc-ferry, as the manifests have them but for the address. */
import type { Manifest } from "./manifest.js";

export type FailurePolicy = "Ignore" | "Fail";

/** Whose Services are asked about, and where. */
export interface Asked {
  /** In the source. */
  readonly namespace: string;
  /** On 127.0.0.1, in place of the reference to a Service. */
  readonly port: number;
}

export interface WebhookConfigurationsOptions {
  /** Of both. */
  readonly name: string;
  readonly failurePolicy: FailurePolicy;
  /** Each has a set of entries, as each distinct selector of routes has in the manifests. */
  readonly asked: readonly Asked[];
}

export const CONFIGURATION_KINDS = [
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
];

/** Without caBundle. */
export function webhookConfigurations(options: WebhookConfigurationsOptions): readonly Manifest[] {
  const { name, failurePolicy, asked } = options;
  const apiVersion = "admissionregistration.k8s.io/v1";
  const metadata = { name };
  return [
    {
      apiVersion,
      kind: "MutatingWebhookConfiguration",
      metadata,
      webhooks: asked.map(mutating),
    },
    {
      apiVersion,
      kind: "ValidatingWebhookConfiguration",
      metadata,
      webhooks: asked.flatMap((one, index) => validating(one, index, failurePolicy)),
    },
  ];
}

const CHANGES = ["CREATE", "UPDATE"];

function mutating(asked: Asked, index: number): object {
  return {
    ...entry(asked, "mutate", CHANGES),
    name: entryName("mutate", index),
    failurePolicy: "Ignore",
    sideEffects: "None",
    reinvocationPolicy: "IfNeeded",
  };
}

function validating(
  asked: Asked,
  index: number,
  failurePolicy: FailurePolicy,
): readonly [object, object] {
  const change = {
    ...entry(asked, "validate", CHANGES),
    name: entryName("validate", index),
    failurePolicy,
    sideEffects: "NoneOnDryRun",
    matchConditions: [
      { name: "not-being-deleted", expression: "!has(object.metadata.deletionTimestamp)" },
    ],
  };
  const deletion = {
    ...entry(asked, "validate", ["DELETE"]),
    name: entryName("observe", index),
    failurePolicy: "Ignore",
    sideEffects: "NoneOnDryRun",
  };
  return [change, deletion];
}

function entry({ namespace, port }: Asked, path: string, operations: readonly string[]): object {
  return {
    clientConfig: { url: `https://127.0.0.1:${port}/${path}` },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations, resources: ["services"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    objectSelector: { matchLabels: { sync: "true" } },
    matchPolicy: "Equivalent",
    timeoutSeconds: 2,
    admissionReviewVersions: ["v1"],
  };
}

function entryName(what: string, index: number): string {
  return `${what}${index === 0 ? "" : `-${index}`}.svc-ferry.io`;
}
