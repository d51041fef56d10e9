/** The shapes of Kubernetes names, as k8s.io/apimachinery/pkg/util/validation checks them. */

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

const MAX_LABEL_LENGTH = 63;
const MAX_SUBDOMAIN_LENGTH = 253;

/** A namespace's name (RFC 1123 label). */
export function isDnsLabel(text: string): boolean {
  return text.length <= MAX_LABEL_LENGTH && DNS_LABEL.test(text);
}

/** The name of most objects, such as a Lease. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= MAX_SUBDOMAIN_LENGTH && DNS_SUBDOMAIN.test(text);
}

/** A label's or an annotation's key, with or without a prefix. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf("/");
  const name = text.slice(slash + 1);
  if (slash >= 0 && !isDnsSubdomain(text.slice(0, slash))) return false;
  return name.length <= MAX_LABEL_LENGTH && QUALIFIED_PART.test(name);
}

/** A label's value; the empty one is valid. */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= MAX_LABEL_LENGTH && QUALIFIED_PART.test(text));
}
