import type { KubeObject } from "../ports/kube-api.js";
import type { Change } from "./change.js";
import { versionOf } from "./object-version.js";
import type { ReflectorOptions } from "./reflector-options.js";
import type { Version } from "./stored.js";

/** What became of one object that the server sent. */
export type Reading<T> =
  | { readonly kind: "kept"; readonly key: string; readonly version: Version; readonly value: T }
  | { readonly kind: "unkept"; readonly key: string; readonly version: Version }
  /** `keep` threw; what the store has of it stays. */
  | { readonly kind: "unreadable"; readonly key: string }
  /** No name, uid or version, which the API forbids. */
  | { readonly kind: "nameless" };

/**
 * The reflector's way into the consumer's code. Whatever that throws concerns one object: it is counted, the first time logged,
 * and the loop goes on.
 */
export class Consumer<T> {
  #hasLogged = false;

  constructor(private readonly options: ReflectorOptions<T>) {}

  read(object: KubeObject): Reading<T> {
    const version = versionOf(object);
    if (version === undefined) {
      this.#skipped(undefined, new Error("the object has no name, uid or resourceVersion"));
      return { kind: "nameless" };
    }
    const { key } = version;
    try {
      const value = this.options.keep(object);
      return value === undefined
        ? { kind: "unkept", key, version }
        : { kind: "kept", key, version, value };
    } catch (error) {
      this.#skipped(key, error);
      return { kind: "unreadable", key };
    }
  }

  report(change: Change<T> | undefined): void {
    if (change === undefined) return;
    try {
      this.options.onChange(change);
    } catch (error) {
      this.#skipped(change.key, error);
    }
  }

  relisted(relists: number): void {
    try {
      this.options.onRelisted?.(relists);
    } catch (error) {
      this.#skipped(undefined, error);
    }
  }

  #skipped(key: string | undefined, err: unknown): void {
    this.options.observer?.skipped();
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    const resource = this.options.resource.plural;
    this.options.log.error({ resource, object: key, err }, "object passed over");
  }
}
