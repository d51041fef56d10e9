import type { Resource } from "./kube-api.js";

/** The kinds that svc-ferry reads or writes, as their URLs name them. */
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
export const ENDPOINT_SLICES: Resource = {
  group: "discovery.k8s.io",
  version: "v1",
  plural: "endpointslices",
  kind: "EndpointSlice",
  namespaced: true,
};
