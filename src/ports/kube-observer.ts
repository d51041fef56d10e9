import type { InjectionToken } from "tsyringe";
import type { Priority } from "./kube-api.js";

/** What was asked of an API server; the `verb` label of its metrics. */
export type KubeVerb = "list" | "watch" | "get" | "create" | "patch" | "replace" | "delete";

/**
 * What the transport tells whoever counts. Called in the request's own tick: it must be quick and must not throw.
 * All arguments come from closed sets (`cluster` is a name of the configuration), so each may be a metric label.
 */
export interface KubeObserver {
  /**
   * One attempt ended. `code` is the HTTP status as text, or the FERRY code when no answer came. `seconds` run from
   * the moment the request was given to a connection; for a watch that was opened they cover its whole life.
   */
  requestDone(cluster: string, verb: KubeVerb, code: string, seconds: number): void;
  /** A TCP or TLS connection was established. */
  connectionOpened(cluster: string): void;
  /** A request got its turn; `seconds` is how long it waited for a free connection. */
  turnGiven(cluster: string, priority: Priority, seconds: number): void;
  /** Requests carry another credential from now on. `life` is in ms since the epoch; undefined: it has no end that is known. */
  credentialTaken(
    cluster: string,
    life: { readonly beganAtMs: number; readonly endsAtMs: number } | undefined,
  ): void;
  /** What the kubeconfig offers cannot be used, so that what was in use before stays in use; or no longer so. */
  credentialTrouble(cluster: string, isInTrouble: boolean): void;
}
export const KubeObserver: InjectionToken<KubeObserver> = Symbol("KubeObserver");

/** For those who count nothing. */
export const silentKubeObserver: KubeObserver = {
  requestDone: () => {},
  connectionOpened: () => {},
  turnGiven: () => {},
  credentialTaken: () => {},
  credentialTrouble: () => {},
};
