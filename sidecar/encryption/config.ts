/**
 * An EncryptionConfiguration as a file: read strictly, all problems at once, each with its line. It refuses what the API
 * server refuses (Source: apiserver pkg/apis/apiserver/validation/validation_encryption.go and
 * pkg/server/options/encryptionconfig/config.go) and unknown keys besides: a misspelled one would silently change what is
 * encrypted.
 *
 * No message ever holds key material, nor the text around a syntax error.
 */
import { ConfigSource, type Node } from "./config-source.js";
import { readProvider } from "./config-providers.js";
import {
  maskedBy,
  parseResource,
  refusedName,
  spelled,
  type ResourcePattern,
} from "./resources.js";

export interface EncryptionKey {
  /** Stands in the values' prefix. */
  readonly name: string;
  readonly secret: Buffer;
}

export type ProviderConfig =
  | { readonly kind: "identity" }
  | {
      readonly kind: "aescbc" | "aesgcm" | "secretbox";
      /** The first one writes. */
      readonly keys: readonly EncryptionKey[];
    }
  | {
      readonly kind: "kms";
      readonly name: string;
      /** Path of the plugin's unix socket. */
      readonly socket: string;
      /** Of one call. */
      readonly timeoutMs: number;
    };

/** One entry: the resources share the providers. */
export interface EncryptionEntry {
  readonly resources: readonly ResourcePattern[];
  /** The first one writes; all read, in order. */
  readonly providers: readonly ProviderConfig[];
}

export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** Where in the document, "resources[0].providers[1].aescbc.keys[0].secret". */
  readonly path: string;
  readonly message: string;
}

export type EncryptionConfig =
  | { readonly kind: "config"; readonly entries: readonly EncryptionEntry[] }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/** Kind and version that go together. The second is an old slip of the documentation that API servers still read. */
const KINDS: readonly (readonly [kind: string, apiVersion: string])[] = [
  ["EncryptionConfiguration", "apiserver.config.k8s.io/v1"],
  ["EncryptionConfig", "v1"],
];

export function parseEncryptionConfig(text: string): EncryptionConfig {
  const source = new ConfigSource(text);
  const entries = readRoot(source.root);
  const { problems } = source;
  return problems.length === 0 ? { kind: "config", entries } : { kind: "refused", problems };
}

function readRoot(root: Node): readonly EncryptionEntry[] {
  const fields = root.fields(["kind", "apiVersion", "resources"]);
  if (fields === undefined) return [];
  const kind = fields.get("kind")?.text() ?? "";
  const apiVersion = fields.get("apiVersion")?.text() ?? "";
  if (!KINDS.some(([first, second]) => first === kind && second === apiVersion)) {
    root.problem("is no EncryptionConfiguration of apiserver.config.k8s.io/v1");
  }
  const nodes = root.required("resources")?.elements() ?? [];
  const names = new KmsNames();
  const entries = nodes.map((node) => readEntry(node, names));
  refuseMasked(nodes, entries);
  return entries;
}

function readEntry(node: Node, names: KmsNames): EncryptionEntry {
  if (node.fields(["resources", "providers"]) === undefined)
    return { resources: [], providers: [] };
  const list = node.required("resources");
  const resources = (list?.elements() ?? []).flatMap(readResource);
  if (list !== undefined) refuseOverlap(list, resources);
  const providers = (node.required("providers")?.elements() ?? []).flatMap((one) =>
    readProvider(one, (name) => names.take(name)),
  );
  return { resources, providers };
}

/** KMS providers must be told apart by their names, in the whole file. */
class KmsNames {
  readonly #taken = new Set<string>();

  /** False: another provider has it. */
  take(name: string): boolean {
    const free = !this.#taken.has(name);
    this.#taken.add(name);
    return free;
  }
}

function readResource(node: Node): readonly ResourcePattern[] {
  const name = node.text();
  if (name === undefined) return [];
  const why = refusedName(name);
  if (why === undefined) return [parseResource(name)];
  node.problem(why);
  return [];
}

function refuseOverlap(list: Node, resources: readonly ResourcePattern[]): void {
  const names = resources.map(spelled);
  if (new Set(names).size < names.length) list.problem("names a resource twice");
  const masks = resources.some((one) =>
    resources.some(
      (other) => one !== other && spelled(one) !== spelled(other) && maskedBy(one, other),
    ),
  );
  if (masks) list.problem("has a wildcard and something that the wildcard covers: use two entries");
}

/** An entry that comes after a wildcard which covers it would never be used. */
function refuseMasked(nodes: readonly Node[], entries: readonly EncryptionEntry[]): void {
  for (const [index, { resources }] of entries.entries()) {
    const earlier = entries.slice(0, index).flatMap((entry) => entry.resources);
    for (const resource of resources) {
      const mask = earlier.find((one) => maskedBy(resource, one));
      if (mask === undefined) continue;
      const names = `${spelled(resource)}: an earlier entry has ${spelled(mask)}`;
      nodes[index]?.problem(`has no effect on ${names}`);
    }
  }
}
