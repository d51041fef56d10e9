import type { Reason, ReasonCode } from "../domain/codes.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";

interface Trouble {
  /** What the log has said. */
  readonly told: Set<ReasonCode>;
  readonly struck: Set<ServiceKey>;
}

/**
 * Namespaces of a destination that take no mirrors. The cause is one, however many Services it strikes: the log says it of
 * the first of them, and of the first that is in order again; /status and an Event tell each of them.
 */
export class NamespaceTrouble {
  readonly #troubles = new Map<string, Trouble>();

  /** Why nothing is written under this name. False when the log has said so of the namespace already. */
  isNews(target: ServiceKey, reason: Reason): boolean {
    if (!isNamespaceTrouble(reason)) {
      this.forget(target);
      return true;
    }
    const { code } = reason;
    const { namespace } = splitKey(target);
    const trouble = this.#troubles.get(namespace) ?? { told: new Set(), struck: new Set() };
    this.#troubles.set(namespace, trouble);
    trouble.struck.add(target);
    const isNews = !trouble.told.has(code);
    trouble.told.add(code);
    return isNews;
  }

  /** This name is in order again, and so is the namespace. True when the log has not said that yet. */
  ended(target: ServiceKey): boolean {
    const trouble = this.#troubles.get(splitKey(target).namespace);
    const isNews = trouble !== undefined && trouble.told.size > 0;
    trouble?.told.clear();
    this.forget(target);
    return isNews;
  }

  /** Nobody wants this name any more, or something else is in its way. */
  forget(target: ServiceKey): void {
    const { namespace } = splitKey(target);
    const trouble = this.#troubles.get(namespace);
    trouble?.struck.delete(target);
    if (trouble?.struck.size === 0) this.#troubles.delete(namespace);
  }

  clear(): void {
    this.#troubles.clear();
  }
}

/** The namespace is the cause: all its Services are refused alike, and one code may follow the other. */
export function isNamespaceTrouble(reason: { readonly code: string } | undefined): boolean {
  return reason?.code === "namespace-missing" || reason?.code === "namespace-terminating";
}
