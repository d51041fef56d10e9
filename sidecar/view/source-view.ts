/**
 * Everything that decides what a value of the source means: rules, catalog, labels of Namespaces, keys of encryption. One object,
 * because pass, tail, debts, plan and verify must all judge by the same.
 */
import type { Encryption, ValueTransformer } from "../encryption/transformer.js";
import type { KeyValue } from "../etcd/etcd.js";
import { type Catalog } from "../keys/catalog.js";
import { readCrd } from "../keys/crd.js";
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import type { NotMirrored, Ruleset } from "../rules/ruleset.js";
import { parseStored } from "../wire/parse.js";
import type { StoredObject } from "../wire/stored-object.js";
import { SourceNamespaces } from "./source-namespaces.js";

/** What the rules want of one key as it is in the source. */
export type Reading =
  | Wanted
  /** There is no such key. */
  | { readonly kind: "absent" }
  /** It is there, and not to be in the destination. */
  | {
      readonly kind: "unwanted";
      readonly why: NotMirrored | "leased" | "no-object";
      readonly detail?: string;
    }
  /** A rule could want it, and nobody can tell. */
  | {
      readonly kind: "unreadable";
      readonly code: "source-undecryptable" | "source-unreadable";
      readonly detail: string;
    };

export interface Wanted {
  readonly kind: "wanted";
  readonly at: ObjectKey;
  readonly object: StoredObject;
  readonly revision: bigint;
  readonly rule: number;
  readonly via: "etcd" | "api";
  readonly mirrorsStatus: boolean;
  /** It was encrypted, or the source's configuration wants it to be. */
  readonly isSecret: boolean;
}

const ENCRYPTED = Buffer.from("k8s:enc:", "latin1");
/** Where Namespaces and CRDs lie, as paths. */
export const NAMESPACES = "namespaces/";
export const CRDS = "apiextensions.k8s.io/customresourcedefinitions/";

export class SourceView {
  readonly namespaces = new SourceNamespaces();
  /** Where objects of CRDs lie that are there, and were never read. */
  readonly #unknownKinds = new Set<string>();
  #transformers = new Map<StoredResource, ValueTransformer>();

  constructor(
    private encryption: Encryption,
    public catalog: Catalog,
    public rules: Ruleset,
  ) {}

  get fingerprint(): string {
    return this.encryption.fingerprint;
  }

  /** Other keys, after a reload. */
  useEncryption(encryption: Encryption): void {
    this.encryption = encryption;
    this.#transformers = new Map();
  }

  /** Decrypts, parses and judges, each once; without encryption all in this tick. */
  read(kv: KeyValue | undefined): Reading | Promise<Reading> {
    if (kv === undefined) return { kind: "absent" };
    if (kv.lease !== 0n) return { kind: "unwanted", why: "leased" };
    const at = this.catalog.fromKey(kv.key);
    if (at === undefined) return this.#ofNoKind(kv.key);
    if (!this.rules.wants(at.resource)) return { kind: "unwanted", why: "no-rule" };
    const transformer = this.#transformer(at.resource);
    if (isEncrypted(kv.value)) return this.#decrypted(kv, at, transformer);
    return this.#judged(at, kv, kv.value, transformer.encrypts);
  }

  /** The object behind a key whether rules want it or not: Namespaces and CRDs are read so. undefined: not readable. */
  async peek(kv: KeyValue): Promise<StoredObject | undefined> {
    const at = this.catalog.fromKey(kv.key);
    if (at === undefined) return undefined;
    const plain = isEncrypted(kv.value)
      ? await this.#transformer(at.resource).decrypt(kv.value, kv.key)
      : ({ kind: "plain", value: kv.value } as const);
    if (plain.kind === "unreadable") return undefined;
    const parsed = parseStored(plain.value);
    return parsed.kind === "object" ? parsed.object : undefined;
  }

  /**
   * A CRD of the source as it is now. One that cannot be read, by us or at all, counts as what it was: what nobody knows takes no
   * object out of the destination.
   * @param object undefined: it could not be read
   * @returns whether the catalog is another one
   */
  sawCrd(name: string, object: StoredObject | undefined): boolean {
    const reading = object === undefined ? undefined : readCrd(object);
    if (reading?.kind !== "crd") {
      const isKnown = this.catalog.crds.some((crd) => crd.name === name);
      if (!isKnown) this.#unknownKinds.add(objectsOf(name));
      return false;
    }
    this.#unknownKinds.delete(objectsOf(name));
    this.catalog = this.catalog.withCrd(reading.crd);
    return true;
  }

  /** The source has no such CRD any more. */
  lostCrd(name: string): void {
    this.#unknownKinds.delete(objectsOf(name));
    this.catalog = this.catalog.withoutCrd(name);
  }

  /** No object, or one of a CRD that could not be read. */
  #ofNoKind(key: string): Reading {
    for (const kind of this.#unknownKinds) {
      if (!key.startsWith(`${this.catalog.prefix}/${kind}`)) continue;
      return { kind: "unreadable", code: "source-undecryptable", detail: "its CRD cannot be read" };
    }
    return { kind: "unwanted", why: "no-object" };
  }

  async #decrypted(kv: KeyValue, at: ObjectKey, by: ValueTransformer): Promise<Reading> {
    const decrypted = await by.decrypt(kv.value, kv.key);
    if (decrypted.kind === "plain") return this.#judged(at, kv, decrypted.value, true);
    return { kind: "unreadable", code: "source-undecryptable", detail: decrypted.message };
  }

  #judged(at: ObjectKey, kv: KeyValue, value: Buffer, isSecret: boolean): Reading {
    const parsed = parseStored(value);
    if (parsed.kind === "unreadable") {
      return { kind: "unreadable", code: "source-unreadable", detail: parsed.message };
    }
    const { object } = parsed;
    if (object.meta.deleting) return { kind: "unwanted", why: "deleting" };
    const judgement = this.rules.judge(at, object, this.namespaces);
    if (judgement.kind === "no") {
      const { why, detail } = judgement;
      if (why === "no-rule" && this.#dependsOnUnread(at)) {
        const unread = "its Namespace cannot be read";
        return { kind: "unreadable", code: "source-undecryptable", detail: unread };
      }
      return { kind: "unwanted", why, ...(detail === undefined ? {} : { detail }) };
    }
    const { rule, via } = judgement;
    const mirrorsStatus = this.rules.rules[rule]?.mirrorsStatus === true;
    const revision = kv.modRevision;
    return { kind: "wanted", at, object, revision, rule, via, mirrorsStatus, isSecret };
  }

  /** What the rules say of it would be another thing if its Namespace could be read. */
  #dependsOnUnread({ namespace }: ObjectKey): boolean {
    if (namespace === undefined || !this.rules.usesNamespaceSelectors) return false;
    return this.namespaces.isUnknown(namespace);
  }

  #transformer(resource: StoredResource): ValueTransformer {
    let transformer = this.#transformers.get(resource);
    if (transformer === undefined) {
      transformer = this.encryption.transformer(resource);
      this.#transformers.set(resource, transformer);
    }
    return transformer;
  }
}

/** @param name of a CRD, "widgets.example.com" */
function objectsOf(name: string): string {
  const dot = name.indexOf(".");
  return `${name.slice(dot + 1)}/${name.slice(0, dot)}/`;
}

export function isEncrypted(value: Buffer): boolean {
  return value.length >= ENCRYPTED.length && ENCRYPTED.compare(value, 0, ENCRYPTED.length) === 0;
}
