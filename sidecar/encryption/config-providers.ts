/** One element of a `providers` list. */
import type { EncryptionKey, ProviderConfig } from "./config.js";
import type { Node } from "./config-source.js";

const PROVIDERS = ["aescbc", "aesgcm", "secretbox", "identity", "kms"] as const;

const AES_KEY_BYTES: readonly number[] = [16, 24, 32];
const SECRETBOX_KEY_BYTES: readonly number[] = [32];

/** Source: apiserver pkg/apis/apiserver/v1/defaults.go. */
const DEFAULT_TIMEOUT_MS = 3_000;

/** @param takeName false when another KMS provider has that name */
export function readProvider(
  node: Node,
  takeName: (name: string) => boolean,
): readonly ProviderConfig[] {
  const fields = node.fields(PROVIDERS);
  if (fields === undefined) return [];
  const chosen = PROVIDERS.filter((kind) => fields.get(kind)?.isPresent);
  const [kind] = chosen;
  if (kind === undefined || chosen.length > 1) {
    node.problem(`must be one of ${PROVIDERS.join(", ")}`);
    return [];
  }
  const content = fields.get(kind);
  if (content === undefined) return [];
  switch (kind) {
    case "identity":
      content.fields([]);
      return [{ kind }];
    case "aescbc":
    case "aesgcm":
      return [{ kind, keys: readKeys(content, AES_KEY_BYTES) }];
    case "secretbox":
      return [{ kind, keys: readKeys(content, SECRETBOX_KEY_BYTES) }];
    case "kms":
      return readKms(content, takeName);
  }
}

function readKeys(node: Node, lengths: readonly number[]): readonly EncryptionKey[] {
  if (node.fields(["keys"]) === undefined) return [];
  const keys = node.required("keys")?.elements() ?? [];
  return keys.flatMap((key) => readKey(key, lengths));
}

function readKey(node: Node, lengths: readonly number[]): readonly EncryptionKey[] {
  if (node.fields(["name", "secret"]) === undefined) return [];
  const nameNode = node.required("name");
  const name = nameNode?.text();
  if (name === "") nameNode?.problem("is empty");
  const secretNode = node.required("secret");
  const text = secretNode?.text();
  if (secretNode === undefined || text === undefined) return [];
  const secret = fromBase64(text);
  if (secret === undefined) secretNode.problem("is no base64");
  else if (!lengths.includes(secret.length)) {
    secretNode.problem(`has ${secret.length} bytes; allowed are ${lengths.join(", ")}`);
  }
  return name === undefined || secret === undefined ? [] : [{ name, secret }];
}

/** Strict, with padding, as Go's StdEncoding; it passes over line ends. */
function fromBase64(text: string): Buffer | undefined {
  const plain = text.replace(/[\r\n]/g, "");
  const isWhole = /^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0;
  return isWhole ? Buffer.from(plain, "base64") : undefined;
}

function readKms(node: Node, takeName: (name: string) => boolean): readonly ProviderConfig[] {
  const fields = node.fields(["apiVersion", "name", "cachesize", "endpoint", "timeout"]);
  if (fields === undefined) return [];
  const version = fields.get("apiVersion")?.text() ?? "v1";
  if (version === "v1") {
    node.problem(
      "is KMS v1 (the default): deprecated, and off in API servers unless KMSv1 is enabled; use apiVersion: v2",
    );
    return [];
  }
  if (version !== "v2") fields.get("apiVersion")?.problem("must be v2");
  fields.get("cachesize")?.problem("belongs to KMS v1");
  const name = readName(node.required("name"), takeName);
  const socket = readEndpoint(node.required("endpoint"));
  const timeoutMs = readTimeout(fields.get("timeout"));
  return [{ kind: "kms", name, socket, timeoutMs }];
}

function readName(node: Node | undefined, takeName: (name: string) => boolean): string {
  const name = node?.text() ?? "";
  if (node === undefined) return name;
  if (name === "") node.problem("is empty");
  if (name.includes(":")) node.problem('must not contain ":"');
  if (!takeName(name)) node.problem("is the name of another KMS provider");
  return name;
}

/** `unix:///path`. Abstract sockets (`unix:///@name`) are not supported by the gRPC library. */
function readEndpoint(node: Node | undefined): string {
  const endpoint = node?.text() ?? "";
  const path = /^unix:\/\/(?<path>\/.+)$/.exec(endpoint)?.groups?.["path"] ?? "";
  if (path === "") node?.problem("must be unix:// and the absolute path of a socket");
  else if (path.startsWith("/@")) node?.problem("is an abstract socket: give a socket with a path");
  return path;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Durations as Go spells them: "3s", "1m30s", "500ms", "1.5s". */
function readTimeout(node: Node | undefined): number {
  if (node === undefined) return DEFAULT_TIMEOUT_MS;
  const text = node.text() ?? "";
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const isWhole = parts.map(([part]) => part).join("") === text;
  const ms = parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0),
    0,
  );
  if (!isWhole || ms <= 0) node.problem('must be a positive duration such as "3s"');
  return ms;
}
