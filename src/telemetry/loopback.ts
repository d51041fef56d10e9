/** Who comes from this machine (or pod): a port-forward, an auth proxy in a sidecar, a person with a shell. */

/** Is the peer's address loopback? IPv4 also in its IPv6 spelling, as a dual-stack socket shows it. */
export function isLoopbackAddress(address: string): boolean {
  const ipv4 = address.replace(/^::ffff:/i, "");
  return address === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(ipv4);
}

/**
 * Does the Host header name this machine? A page of the internet whose name resolves to 127.0.0.1 (DNS rebinding) makes
 * a browser ask us from loopback, but it cannot change this header. See linkerd/linkerd2#3083.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = (host ?? "").replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || isLoopbackAddress(name);
}
