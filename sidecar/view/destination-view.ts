/** What has to be known of the destination before something is written there: its keys, Namespaces, CRDs and encryption. */
import type { Encryption, ValueTransformer } from "../encryption/transformer.js";
import type { KeyValue } from "../etcd/etcd.js";
import { readCrd, type Crd } from "../keys/crd.js";
import type { StoredResource } from "../keys/resource.js";
import type { KubePrefix } from "../link/keyspace.js";
import { parseStored } from "../wire/parse.js";
import type { StoredObject } from "../wire/stored-object.js";
import { CRDS, NAMESPACES, isEncrypted } from "./source-view.js";

export type NamespaceState =
  /** Every write into it compares that its key is still as it was then. */
  | { readonly kind: "active"; readonly revision: bigint }
  | { readonly kind: "missing" }
  | { readonly kind: "terminating" };

export type Opened =
  | { readonly kind: "object"; readonly object: StoredObject }
  | { readonly kind: "unreadable"; readonly detail: string };

/** Reads from the destination, linearizable. */
type Read = (keys: readonly string[]) => Promise<readonly (KeyValue | undefined)[]>;

const DEFINITION: Pick<StoredResource, "group" | "resource"> = {
  group: "apiextensions.k8s.io",
  resource: "customresourcedefinitions",
};
const NAMESPACE: Pick<StoredResource, "group" | "resource"> = { group: "", resource: "namespaces" };

export class DestinationView {
  readonly #namespaces = new Map<string, NamespaceState>();
  readonly #crds = new Map<string, Crd | undefined>();
  #transformers = new Map<string, ValueTransformer>();

  constructor(
    readonly prefix: KubePrefix,
    private encryption: Encryption,
    private readonly read: Read,
  ) {}

  get fingerprint(): string {
    return this.encryption.fingerprint;
  }

  useEncryption(encryption: Encryption): void {
    this.encryption = encryption;
    this.#transformers = new Map();
  }

  /** As last read; undefined: not yet. */
  knownNamespace(name: string): NamespaceState | undefined {
    return this.#namespaces.get(name);
  }

  async namespace(name: string): Promise<NamespaceState> {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const [kv] = await this.read([this.prefix.key(NAMESPACES + name)]);
    return this.sawNamespace(name, kv);
  }

  async sawNamespace(name: string, kv: KeyValue | undefined): Promise<NamespaceState> {
    const state = await this.#namespaceState(kv);
    this.#namespaces.set(name, state);
    return state;
  }

  /** Our own write made it so. */
  wroteNamespace(name: string, revision: bigint): void {
    this.#namespaces.set(name, { kind: "active", revision });
  }

  /** The CRD that serves a custom resource here. */
  async crd(resource: Pick<StoredResource, "group" | "resource">): Promise<Crd | undefined> {
    const name = `${resource.resource}.${resource.group}`;
    if (this.#crds.has(name)) return this.#crds.get(name);
    const [kv] = await this.read([this.prefix.key(CRDS + name)]);
    return this.sawCrd(name, kv);
  }

  async sawCrd(name: string, kv: KeyValue | undefined): Promise<Crd | undefined> {
    const opened = kv === undefined ? undefined : await this.open(kv, DEFINITION);
    const reading = opened?.kind === "object" ? readCrd(opened.object) : undefined;
    const crd = reading?.kind === "crd" ? reading.crd : undefined;
    this.#crds.set(name, crd);
    return crd;
  }

  /** Something about this path was changed by somebody: what was known of it is read anew when it is needed. */
  forget(path: string): void {
    if (path.startsWith(NAMESPACES)) this.#namespaces.delete(path.slice(NAMESPACES.length));
    if (path.startsWith(CRDS)) this.#crds.delete(path.slice(CRDS.length));
  }

  encrypts(resource: Pick<StoredResource, "group" | "resource">): boolean {
    return this.#transformer(resource).encrypts;
  }

  async open(kv: KeyValue, resource: Pick<StoredResource, "group" | "resource">): Promise<Opened> {
    const plain = await this.unseal(kv, resource);
    if (plain.kind === "unreadable") return { kind: "unreadable", detail: plain.message };
    const parsed = parseStored(plain.value);
    return parsed.kind === "object" ? parsed : { kind: "unreadable", detail: parsed.message };
  }

  /** A value as it was before it was stored, whatever it is. @throws EncryptionUnavailable */
  async unseal(
    { key, value }: KeyValue,
    resource: Pick<StoredResource, "group" | "resource">,
  ): Promise<
    | { readonly kind: "plain"; readonly value: Buffer }
    | { readonly kind: "unreadable"; readonly message: string }
  > {
    if (!isEncrypted(value)) return { kind: "plain", value };
    return this.#transformer(resource).decrypt(value, key);
  }

  /**
   * As it is to be stored. What was encrypted is opened again first: one value that cannot be opened makes every list of its
   * resource fail for everybody.
   * @throws Error when it cannot, which is a defect
   */
  seal(
    plain: Buffer,
    key: string,
    resource: Pick<StoredResource, "group" | "resource">,
  ): Buffer | Promise<Buffer> {
    const transformer = this.#transformer(resource);
    return transformer.encrypts ? this.#sealed(plain, key, { ...resource, transformer }) : plain;
  }

  async #sealed(
    plain: Buffer,
    key: string,
    {
      transformer,
      resource,
    }: { readonly transformer: ValueTransformer; readonly resource: string },
  ): Promise<Buffer> {
    const sealed = await transformer.encrypt(plain, key);
    const opened = await transformer.decrypt(sealed, key);
    if (opened.kind !== "plain" || !opened.value.equals(plain)) {
      throw new Error(`what was encrypted for ${resource} cannot be opened again`);
    }
    return sealed;
  }

  async #namespaceState(kv: KeyValue | undefined): Promise<NamespaceState> {
    if (kv === undefined) return { kind: "missing" };
    const opened = await this.open(kv, NAMESPACE);
    const isTerminating = opened.kind === "object" && opened.object.meta.deleting;
    return isTerminating ? { kind: "terminating" } : { kind: "active", revision: kv.modRevision };
  }

  #transformer(resource: Pick<StoredResource, "group" | "resource">): ValueTransformer {
    const name = `${resource.resource}.${resource.group}`;
    let transformer = this.#transformers.get(name);
    if (transformer === undefined) {
      transformer = this.encryption.transformer(resource);
      this.#transformers.set(name, transformer);
    }
    return transformer;
  }
}
