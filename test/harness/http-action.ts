import type { OutgoingHttpHeaders } from "node:http";
import type { StreamFaults } from "./stream-fault.js";

/** A request as rules see it. */
export interface ProxiedRequest {
  readonly method: string;
  /** Without the query: `/api/v1/namespaces/shop/services`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `watch=true` or `watch=1`. */
  readonly watch: boolean;
  readonly headers: Readonly<NodeJS.Dict<string | string[]>>;
}

/** What the proxy does with one request. */
export type HttpAction =
  | { readonly kind: "pass" }
  /** Answers by itself; the API server hears nothing. An object is sent as JSON. */
  | {
      readonly kind: "respond";
      readonly status: number;
      readonly body?: string | object;
      readonly headers?: OutgoingHttpHeaders;
    }
  /** Waits, then does `next` (default: pass). The API server hears nothing until then. */
  | { readonly kind: "delay"; readonly delayMs: number; readonly next?: HttpAction }
  /** Never answers; the connection stays open. */
  | { readonly kind: "hang" }
  /** Resets the connection without an answer; the API server hears nothing. */
  | { readonly kind: "reset" }
  /** The API server acts, but its answer gets lost: nobody knows what became of the write. */
  | { readonly kind: "lose-answer" }
  /** The API server's list with its items taken out: a wrong answer that looks right. */
  | { readonly kind: "empty-list" }
  /** Resets the connection after so many bytes of the body. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Changes the body as it streams by. */
  | ({ readonly kind: "stream" } & StreamFaults);

/** Decides about each request as it arrives; undefined passes it. */
export type HttpRule = (request: ProxiedRequest) => HttpAction | undefined;

/** The actions that need the API server. */
export type ForwardedAction = Extract<
  HttpAction,
  { readonly kind: "pass" | "lose-answer" | "empty-list" | "cut" | "stream" }
>;
