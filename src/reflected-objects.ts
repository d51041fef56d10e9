import type { KubeObject, ObjectRef, Resource } from "./ports/kube-api.js";
import type { ObjectWatch } from "./ports/object-watch.js";
import type { Change } from "./watch/change.js";
import { Reflector } from "./watch/reflector.js";
import type { ReflectorOptions, WatchObserver } from "./watch/reflector-options.js";

export interface ReflectedObjectsParts extends Pick<
  ReflectorOptions<KubeObject>,
  "api" | "clock" | "random" | "log" | "relistEveryMs"
> {
  /** Makes who counts for one resource. */
  readonly observe: (resource: string) => WatchObserver;
}

/** The kit's reflector for single objects: `metadata.name=` is a selector that RBAC with resourceNames lets pass. */
export class ReflectedObjects implements ObjectWatch {
  constructor(private readonly parts: ReflectedObjectsParts) {}

  follow(
    resource: Resource,
    { namespace, name }: ObjectRef,
    onObject: (object: KubeObject | undefined) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const reflector = new Reflector<KubeObject>({
      ...this.parts,
      resource,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      observer: this.parts.observe(resource.plural),
      keep: (object) => (object.metadata.name === name ? object : undefined),
      onChange: (change) => onObject(objectOf(change)),
      onRelisted: (relists) => {
        if (relists === 1 && reflector.store.size === 0) onObject(undefined);
      },
    });
    return reflector.start(signal);
  }
}

function objectOf(change: Change<KubeObject>): KubeObject | undefined {
  switch (change.kind) {
    case "set":
    case "replaced":
      return change.value;
    case "deleted":
    case "missing":
    case "dropped":
      return undefined;
  }
}
