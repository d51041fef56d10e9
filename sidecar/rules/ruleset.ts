/** What the rules say of one object. Pure: the same function serves pass, watch, plan and verify. */
import type { Catalog } from "../keys/catalog.js";
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import type { StoredObject } from "../wire/stored-object.js";

/** Labels of the source's Namespaces, as they are now; undefined: no such Namespace. */
export interface NamespaceIndex {
  labels(namespace: string): Readonly<Record<string, string>> | undefined;
}

/** Why an object that a rule's resources name is not mirrored. Each is an entry of docs/codes.md. */
export type NotMirrored =
  /** No rule's resources, namespace and selectors fit. */
  | "no-rule"
  /** A rule fits and one of its excludes does too. */
  | "excluded"
  /** The deny list: it would harm the destination. `detail` says why. */
  | "denied"
  /** A deletionTimestamp is set: it counts as gone. */
  | "deleting";

export type Judgement =
  | {
      readonly kind: "match";
      /** Index of the rule with the lowest order that matches; sequential rules come before all secondary ones. */
      readonly rule: number;
      readonly order: number;
      readonly via: "etcd" | "api";
    }
  | { readonly kind: "no"; readonly why: NotMirrored; readonly detail?: string };

/** One rule as it was understood, for plan, status and metrics. */
export interface RuleSummary {
  readonly index: number;
  /** "sequential[0]" or "secondary[2]": where it stands in the file. */
  readonly label: string;
  readonly order: number;
  readonly line: number;
  /** Of a rule without `via:` objects go through etcd, but for Services; each Judgement says its own. */
  readonly via: "etcd" | "api";
  /** Status is mirrored too (`status: mirror`). */
  readonly mirrorsStatus: boolean;
}

/** A name in the rules that stands for nothing in the source as it is now. A CRD that comes later may change that. */
export interface UnresolvedName {
  /** Index of the rule. */
  readonly rule: number;
  readonly line: number;
  readonly message: string;
}

/** A rules file, checked. */
export interface Ruleset {
  readonly rules: readonly RuleSummary[];
  /** SHA-256 of what the rules mean (not of the file's spelling), hex. */
  readonly hash: string;
  /** Could a rule match any object of this resource? Decides which prefixes are read. */
  wants(resource: StoredResource): boolean;
  /** The lowest order of a rule that could match an object of this resource; undefined when none could. */
  orderOf(resource: StoredResource): number | undefined;
  /** Rules ask for labels of Namespaces. */
  readonly usesNamespaceSelectors: boolean;
  /** What no CRD of the source offers: told at the beginning of each pass, and by `mirror doctor`. */
  unresolved(catalog: Catalog): readonly UnresolvedName[];
  judge(key: ObjectKey, object: StoredObject, namespaces: NamespaceIndex): Judgement;
}
