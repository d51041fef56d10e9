/** Which IP families the destination gives to Services. */
import { RetryableError, TerminalError } from "../../src/ports/errors.js";
import type { KubeApi, KubeObject } from "../../src/ports/kube-api.js";
import { SERVICE_CIDRS, SERVICES } from "../../src/ports/kube-resources.js";

export type Family = "IPv4" | "IPv6";

/** Ranges are added to a running cluster, if rarely; Services are written more often than that. */
const FRESH_MS = 10 * 60_000;

export class DestinationFamilies {
  #known: readonly Family[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly api: Pick<KubeApi, "get">) {}

  /**
   * Primary first. `default/kubernetes` has that one only; the ranges tell both, where they are objects (since Kubernetes 1.33)
   * and may be read.
   * @param nowMs monotonic
   * @throws RetryableError when the server does not answer
   */
  async known(nowMs: number, signal: AbortSignal): Promise<readonly Family[]> {
    if (nowMs - this.#askedMs < FRESH_MS) return this.#known;
    const ref = { namespace: "default", name: "kubernetes" };
    const primary = familiesIn(specOf(await this.api.get(SERVICES, ref, signal))["ipFamilies"]);
    const ranges = await this.#ranges(signal);
    this.#known = [
      ...new Set([...(primary.length === 0 ? ["IPv4" as const] : primary), ...ranges]),
    ];
    this.#askedMs = nowMs;
    return this.#known;
  }

  async #ranges(signal: AbortSignal): Promise<readonly Family[]> {
    try {
      const found = await this.api.get(SERVICE_CIDRS, { name: "kubernetes" }, signal);
      const cidrs = specOf(found)["cidrs"];
      if (!Array.isArray(cidrs)) return [];
      return cidrs.map((cidr) => (String(cidr).includes(":") ? "IPv6" : "IPv4"));
    } catch (error) {
      // 403, and the plain 404 of a group that is not served: the primary family is all that can be known.
      const isRefused = error instanceof RetryableError && /^FERRY-K00[67]$/.test(error.code);
      if (isRefused || error instanceof TerminalError) return [];
      throw error;
    }
  }
}

function familiesIn(value: unknown): readonly Family[] {
  return Array.isArray(value) ? value.filter((one) => one === "IPv4" || one === "IPv6") : [];
}

/** {} without one: objects of the API are open, and whoever reads a field checks it. */
export function specOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  const spec = object !== undefined && "spec" in object ? object.spec : undefined;
  return typeof spec === "object" && spec !== null ? { ...spec } : {};
}
