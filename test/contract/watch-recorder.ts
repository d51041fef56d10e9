/** Collects what a watch delivers; waits for conditions, not for time. */
import type { KubeObject, WatchEvent } from "../../src/ports/kube-api.js";

type ObjectEvent = Exclude<WatchEvent, { readonly kind: "bookmark" }>;

export class WatchRecorder {
  readonly events: WatchEvent[] = [];
  #waiting: (() => void)[] = [];
  #end: Promise<void> = Promise.resolve();

  record(event: WatchEvent): void {
    this.events.push(event);
    for (const look of this.#waiting) look();
  }

  follow(watch: Promise<void>): void {
    this.#end = watch;
    // Whoever asks for the end sees the error; a case that does not ask has no use for it.
    watch.catch(() => undefined);
  }

  /** Resolves when the server ended the watch, rejects with its error. */
  ended(): Promise<void> {
    return this.#end;
  }

  /** Events about objects, without bookmarks. */
  get objects(): readonly ObjectEvent[] {
    return this.events.filter((event) => event.kind !== "bookmark");
  }

  /** "added a", "deleted b" …: kind and name, in order. */
  get lines(): readonly string[] {
    return this.objects.map(({ kind, object }) => `${kind} ${object.metadata.name}`);
  }

  /** Resolves once an event of this kind about this name came; rejects when the watch fails before. */
  async until(kind: ObjectEvent["kind"], name: string): Promise<KubeObject> {
    const find = (): KubeObject | undefined =>
      this.objects.find((event) => event.kind === kind && event.object.metadata.name === name)
        ?.object;
    return Promise.race([this.#found(find), this.#failed()]);
  }

  #found(find: () => KubeObject | undefined): Promise<KubeObject> {
    return new Promise((resolve) => {
      const look = (): void => {
        const object = find();
        if (object === undefined) return;
        this.#waiting = this.#waiting.filter((waiting) => waiting !== look);
        resolve(object);
      };
      this.#waiting.push(look);
      look();
    });
  }

  async #failed(): Promise<never> {
    await this.#end;
    throw new Error(`the watch ended before; it delivered: ${this.lines.join(", ")}`);
  }
}
