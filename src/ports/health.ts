import type { InjectionToken } from "tsyringe";

/** The answer of /ready. */
export interface Readiness {
  readonly ok: boolean;
  /** What is missing, each a few words: "source eks-a is not connected". Empty when `ok`. */
  readonly waitingFor: readonly string[];
}

/** Whether this replica does its work; asked by /ready at each request, so it answers from memory. */
export interface Health {
  /** k8s-svc-sync's meaning: both clusters are connected. For people and monitors, not for the pods' probe. */
  ready(): Readiness;
  /**
   * For the pods' probe: API servers may send reviews here. It looks at no cluster and at no leader, for one cluster's outage
   * must not take away another's admission. Always ok while admission is off.
   */
  webhookReady(): Readiness;
}
export const Health: InjectionToken<Health> = Symbol("Health");
