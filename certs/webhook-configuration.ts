/** Both kinds of webhook configuration, as far as certificates are concerned. */
import type { KubeObject, Resource } from "../src/ports/kube-api.js";
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from "../src/ports/kube-resources.js";
import { canonicalName, type Certificate, parseCertificates } from "./certificate.js";

/** Which of the two; also a label of metrics. */
export type ConfigurationKind = "mutating" | "validating";

/** Their resources. */
export const CONFIGURATIONS: Readonly<Record<ConfigurationKind, Resource>> = {
  mutating: MUTATING_WEBHOOKS,
  validating: VALIDATING_WEBHOOKS,
};
export const CONFIGURATION_KINDS: readonly ConfigurationKind[] = ["mutating", "validating"];

/** One entry; what is not named here is carried along as it is. */
interface Webhook {
  readonly clientConfig?: {
    readonly caBundle?: string;
    readonly url?: string;
    readonly service?: { readonly name?: string; readonly namespace?: string };
  };
}

/** A Service by which API servers may call. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** A configuration as the API sends it. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[];
}

/** What each entry trusts; an entry without caBundle trusts nothing. */
export function publishedBundles(
  configuration: WebhookConfiguration,
): readonly (readonly Certificate[])[] {
  return (configuration.webhooks ?? []).map(({ clientConfig }) =>
    parseCertificates(Buffer.from(clientConfig?.caBundle ?? "", "base64").toString("utf8")),
  );
}

/** All entries with this caBundle (base64) and nothing else different; undefined when they have it already. */
export function withBundle(
  configuration: WebhookConfiguration,
  caBundle: string,
): readonly Webhook[] | undefined {
  const webhooks = configuration.webhooks ?? [];
  if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) return undefined;
  return webhooks.map((webhook) => ({
    ...webhook,
    clientConfig: { ...webhook.clientConfig, caBundle },
  }));
}

/** The names by which API servers call: they verify the certificate against the Service's DNS name, or the URL's host. */
export function calledNames(configuration: WebhookConfiguration): readonly string[] {
  return namesOf(configuration, ([called = ""]) => [called]);
}

/** The names that a certificate of ours is made for because of a configuration: those, and what people call a Service by. */
export function wantedNames(configuration: WebhookConfiguration): readonly string[] {
  return namesOf(configuration, (names) => names);
}

/** The first is what API servers ask for; the other is for people with curl in a pod. */
export function serviceNames({ namespace, name }: ServiceName): readonly string[] {
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}

function namesOf(
  { webhooks = [] }: WebhookConfiguration,
  ofService: (names: readonly string[]) => readonly string[],
): readonly string[] {
  const names = webhooks.flatMap(({ clientConfig }) => {
    const { service, url } = clientConfig ?? {};
    if (url !== undefined) return hostOf(url);
    if (service?.name === undefined || service.namespace === undefined) return [];
    return ofService(serviceNames({ namespace: service.namespace, name: service.name }));
  });
  return [...new Set(names)];
}

function hostOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return []; // the API server would not have stored it
  const { hostname } = new URL(url);
  return hostname === "" ? [] : [canonicalName(hostname.replace(/^\[(.*)\]$/, "$1"))];
}
