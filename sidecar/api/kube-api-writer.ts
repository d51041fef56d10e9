/** ApiWriter over the Kubernetes API. */
import type { Clock } from "../../src/ports/clock.js";
import type { EncodedObject, EncodedWrites } from "../../src/ports/encoded-writes.js";
import type {
  KubeApi,
  KubeObject,
  ObjectRef,
  Resource,
  WriteOptions,
  WriteResult,
} from "../../src/ports/kube-api.js";
import { apiBody, type Replaced } from "./api-body.js";
import { changedBy, isTouchedSince } from "./api-drift.js";
import { attempted } from "./api-failure.js";
import { removedBy, TOO_BUSY, written } from "./api-results.js";
import { type ApiReading, readServed, resourceOf, versionOf } from "./api-reading.js";
import type {
  ApiApplied,
  ApiObject,
  ApiRemoved,
  ApiTerm,
  ApiUnavailable,
  ApiWanted,
  ApiWriter,
  RemovePreconditions,
} from "./api-writer.js";
import { DestinationFamilies, specOf } from "./destination-families.js";
import { isMarked, markOf, NO_MARK } from "./mark.js";
import { serviceShape, type ServiceShape } from "./service-spec.js";

/** What is asked of the destination's API server. */
export type DestinationApi = Pick<KubeApi, "get" | "patch" | "delete"> & EncodedWrites;

/** Looks anew when somebody else was faster; each attempt begins with a read. */
const ATTEMPTS = 3;
const GOING: ApiUnavailable = {
  kind: "unavailable",
  isAway: false,
  detail: "the one that is there is being deleted",
};

/** One attempt to make it so. */
interface Attempt {
  readonly at: ApiObject;
  readonly resource: Resource;
  readonly wanted: ApiWanted;
  readonly shape: ServiceShape | undefined;
  readonly options: WriteOptions;
}

export class KubeApiWriter implements ApiWriter {
  readonly #families: DestinationFamilies;

  /** @param link whose mark the objects carry */
  constructor(
    private readonly api: DestinationApi,
    private readonly link: string,
    private readonly clock: Clock,
  ) {
    this.#families = new DestinationFamilies(api);
  }

  apply(at: ApiObject, wanted: ApiWanted, term: ApiTerm): Promise<ApiApplied> {
    return attempted<ApiApplied>(term, async () => {
      const version = versionOf(wanted.object.apiVersion);
      const resource = resourceOf(at.resource, version);
      const shape = await this.#shape(at, wanted, term);
      const attempt = { at, resource, wanted, shape, options: optionsOf(term) };
      for (let left = ATTEMPTS; left > 0; left -= 1) {
        const found = await readServed(this.api, at, [version], term.signal);
        if (found.kind === "not-served") {
          return {
            kind: "refused",
            detail: `the destination serves no ${wanted.object.apiVersion}`,
          };
        }
        const applied = await this.#attempt(attempt, found.object);
        if (applied !== "again") return applied;
      }
      return TOO_BUSY;
    });
  }

  remove(at: ApiObject, only: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved> {
    return this.#onOurs(at, only, term, ({ resource, ref }) =>
      this.api.delete(resource, ref, only, optionsOf(term)),
    );
  }

  release(at: ApiObject, only: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved> {
    return this.#onOurs(at, only, term, ({ resource, ref, object }) => {
      // Written raw it has none, and a patch that changes nothing would still need the right to it.
      if (!isMarked(object.metadata, this.link)) return Promise.resolve({ kind: "not-found" });
      return this.api.patch(resource, ref, { metadata: NO_MARK }, only, optionsOf(term));
    });
  }

  async #attempt(
    attempt: Attempt,
    existing: KubeObject | undefined,
  ): Promise<ApiApplied | "again"> {
    if (existing === undefined) return this.#create(attempt);
    const { wanted, shape } = attempt;
    const isOurs =
      isMarked(existing.metadata, this.link) || existing.metadata.uid === wanted.ownUid;
    if (!isOurs) return { kind: "occupied" };
    if (existing.metadata.deletionTimestamp !== undefined) return GOING;
    if (shape !== undefined && isAnotherService(existing, shape)) {
      return this.#exchange(attempt, existing);
    }
    return this.#replace(attempt, existing);
  }

  async #create(attempt: Attempt): Promise<ApiApplied | "again"> {
    const body = this.#body(attempt, undefined);
    const result = await this.api.createEncoded(attempt.resource, body, attempt.options);
    switch (result.kind) {
      case "already-exists":
        return "again";
      case "not-found":
        return { kind: "no-namespace" };
      case "done":
      case "conflict":
      case "terminating":
      case "invalid":
        return written(result, undefined);
    }
  }

  async #replace(attempt: Attempt, existing: KubeObject): Promise<ApiApplied | "again"> {
    const { resource, options, wanted } = attempt;
    const onDrift = isTouchedSince(wanted.leftAt, existing) ? wanted.onDrift : undefined;
    const fields = onDrift === "report" ? await this.#drift(attempt, existing) : [];
    if (fields.length > 0) return { kind: "drifted", fields };
    const body = this.#body(attempt, replacedOf(existing));
    const result = await this.api.replaceEncoded(resource, body, options);
    switch (result.kind) {
      case "conflict":
      case "not-found":
        return "again";
      case "done":
      case "already-exists":
      case "terminating":
      case "invalid": {
        const applied = written(result, existing.metadata.resourceVersion);
        if (applied.kind !== "applied" || onDrift !== "repair") return applied;
        return { ...applied, repaired: changedBy(result, existing) };
      }
    }
  }

  /**
   * What somebody else has changed. Where an update would change something, the source may be why: so the server is asked as well
   * what the value would change of which the object was made.
   */
  async #drift(attempt: Attempt, existing: KubeObject): Promise<readonly string[]> {
    const fields = changedBy(await this.#dryRun(attempt, existing), existing);
    const object = fields.length === 0 ? undefined : await attempt.wanted.before();
    if (object === undefined) return fields;
    const { at, wanted, options } = attempt;
    const shape = await this.#shape(at, { ...wanted, object }, options);
    const before = { ...attempt, wanted: { ...wanted, object }, shape };
    const result = await this.#dryRun(before, existing);
    return result.kind === "done" ? changedBy(result, existing) : fields;
  }

  #dryRun(attempt: Attempt, existing: KubeObject): Promise<WriteResult> {
    const { resource, options } = attempt;
    const body = this.#body(attempt, replacedOf(existing));
    return this.api.replaceEncoded(resource, body, { ...options, dryRun: true });
  }

  /** What the API forbids in place: it goes, and comes again. With finalizers it goes later, and this is tried again. */
  async #exchange(attempt: Attempt, existing: KubeObject): Promise<ApiApplied | "again"> {
    const { resource, at, options } = attempt;
    const { uid, resourceVersion } = replacedOf(existing);
    const gone = await this.api.delete(resource, refOf(at), { uid, resourceVersion }, options);
    if (gone.kind === "done" && gone.object !== undefined) return GOING;
    return gone.kind === "done" ? this.#create(attempt) : "again";
  }

  #body({ at, wanted, shape }: Attempt, replaced: Replaced | undefined): EncodedObject {
    const mark = markOf(this.link, wanted.object.meta.uid);
    return { ...refOf(at), ...apiBody({ wanted, mark, replaced, shape }) };
  }

  async #shape(
    { resource }: ApiObject,
    { object }: ApiWanted,
    { signal }: Pick<ApiTerm, "signal">,
  ): Promise<ServiceShape | undefined> {
    if (resource.group !== "" || resource.resource !== "services") return undefined;
    return serviceShape(object, await this.#families.known(this.clock.monotonicMs(), signal));
  }

  #onOurs(
    at: ApiObject,
    only: RemovePreconditions,
    term: ApiTerm,
    act: (found: Found) => Promise<WriteResult>,
  ): Promise<ApiRemoved> {
    return attempted<ApiRemoved>(term, async () => {
      const found = await readServed(this.api, at, at.resource.versions, term.signal);
      if (found.kind === "not-served") {
        const { group, resource } = at.resource;
        return { kind: "refused", detail: `the destination serves no ${resource}.${group}` };
      }
      const { resource, object } = found;
      // Another uid: ours is gone, and what has the name now is somebody else's.
      if (object?.metadata.uid !== only.uid) return { kind: "removed" };
      return removedBy(await act({ resource, ref: refOf(at), object }));
    });
  }
}

interface Found {
  readonly resource: ApiReading["resource"];
  readonly ref: Required<ObjectRef>;
  readonly object: KubeObject;
}

function refOf({ namespace, name }: ApiObject): Required<ObjectRef> {
  return { namespace, name };
}

function optionsOf(term: ApiTerm): WriteOptions {
  return { signal: term.signal, priority: "live", permit: () => term.permit() };
}

function replacedOf({ metadata }: KubeObject): Replaced {
  const { uid = "", resourceVersion = "", annotations = {}, finalizers = [] } = metadata;
  return { uid, resourceVersion, annotations, finalizers };
}

/** From an address to none or back, or to another primary family: immutable, and an update would even be taken as "keep it". */
function isAnotherService(existing: KubeObject, shape: ServiceShape): boolean {
  const { type, clusterIP, ipFamilies } = specOf(existing);
  if (type === "ExternalName" || shape.type === "ExternalName") return false;
  const primary: unknown = Array.isArray(ipFamilies) ? ipFamilies[0] : undefined;
  const [wanted] = shape.families;
  return (clusterIP === "None") !== shape.headless || (wanted !== undefined && wanted !== primary);
}
