/** The kinds that svc-ferry reads or writes, as their URLs name them. */
import type { Resource } from "./kube-api.js";

const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});

export const SERVICES = core("services", "Service");
export const ENDPOINTS = core("endpoints", "Endpoints");
export const NAMESPACES = core("namespaces", "Namespace", false);
export const EVENTS = core("events", "Event");
/** One object, "kubernetes", holds the cluster's ranges; served since Kubernetes 1.33. */
export const SERVICE_CIDRS: Resource = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "servicecidrs",
  kind: "ServiceCIDR",
  namespaced: false,
};
export const ENDPOINT_SLICES: Resource = {
  group: "discovery.k8s.io",
  version: "v1",
  plural: "endpointslices",
  kind: "EndpointSlice",
  namespaced: true,
};
export const SECRETS = core("secrets", "Secret");
export const PODS = core("pods", "Pod");
export const NODES = core("nodes", "Node", false);

const admission = (plural: string, kind: string): Resource => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced: false,
});

export const MUTATING_WEBHOOKS = admission(
  "mutatingwebhookconfigurations",
  "MutatingWebhookConfiguration",
);
export const VALIDATING_WEBHOOKS = admission(
  "validatingwebhookconfigurations",
  "ValidatingWebhookConfiguration",
);
/** Served since Kubernetes 1.30. */
export const VALIDATING_POLICIES = admission(
  "validatingadmissionpolicies",
  "ValidatingAdmissionPolicy",
);
export const VALIDATING_POLICY_BINDINGS = admission(
  "validatingadmissionpolicybindings",
  "ValidatingAdmissionPolicyBinding",
);
