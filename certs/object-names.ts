/** What manifests and chart call the objects that certificates are about, all in the Lease's namespace. */

/** Holds everything: certificates, keys, stamp keys. */
export const SECRET_NAME = "svc-ferry-webhook-tls";

/** By which API servers call. */
export const SERVICE_NAME = "svc-ferry-webhook";
