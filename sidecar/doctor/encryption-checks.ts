/** Whether the keys of encryption are those of the API servers: what is stored opens, and nothing secret would be stored in plain. */
import { fail, ok, warn, type Check, type Outcome } from "../../src/doctor/check.js";
import { PLAIN } from "../encryption/encryption.js";
import { EncryptionUnavailable, type Encryption } from "../encryption/transformer.js";
import { prefixEnd, type Etcd, type KeyValue } from "../etcd/etcd.js";
import type { Reading } from "../files/watched-file.js";
import { BUILTIN_RESOURCES } from "../keys/builtin-resources.js";
import type { StoredResource } from "../keys/resource.js";
import type { Ruleset } from "../rules/ruleset.js";
import { isEncrypted } from "../view/source-view.js";
import { etcdCheck, type EtcdSubject } from "./etcd-subject.js";
import { fileCheck } from "./file-checks.js";

/** Whatever the configuration names, these are looked at: they are what everybody encrypts. */
const SECRETS = "secrets";

export function encryptionChecks(
  subject: EtcdSubject,
  read: () => Promise<Reading<Encryption>>,
): readonly Check[] {
  const { encryption, name } = subject.access;
  const file = fileCheck(
    {
      id: name === "source" ? "src-encryption" : "dst-encryption",
      section: name,
      subject: subject.access.endpoints.join(","),
    },
    read,
    (one) => (one === PLAIN ? "nothing is encrypted" : `${encryption.path} is valid`),
  );
  return [
    file,
    etcdCheck(subject, {
      id: "encrypted-values",
      after: ["etcd", "etcd-rights", "encryption"],
      ask: async (etcd, signal) => {
        const reading = await read();
        if (reading.kind === "invalid") throw new Error("the check before this one has failed");
        return values(etcd, { encryption: reading.value, subject }, signal);
      },
    }),
  ];
}

async function values(
  etcd: Etcd,
  { encryption, subject }: { readonly encryption: Encryption; readonly subject: EtcdSubject },
  signal: AbortSignal,
): Promise<Outcome> {
  const looked: string[] = [];
  const closed: string[] = [];
  for (const resource of encryptedResources(encryption)) {
    const kv = await firstOf(etcd, `${subject.access.kubePrefix}/${resource.path}/`, signal);
    if (kv === undefined) continue;
    const why = await whyClosed(encryption, resource, kv);
    looked.push(resource.resource);
    if (why !== undefined) closed.push(`${resource.resource}: ${why}`);
  }
  if (closed.length === 0) {
    return ok(
      looked.length === 0 ? "no value to open yet" : `a value of each opens: ${looked.join(", ")}`,
    );
  }
  const isSource = subject.access.name === "source";
  const flag = isSource
    ? "--source-encryption-provider-config"
    : "--dest-encryption-provider-config";
  return fail(
    closed.join("; "),
    {
      text: `${flag} has to be what that side's API servers use, with every key that is still in use`,
    },
    isSource ? "source-undecryptable" : "dest-undecryptable",
  );
}

function encryptedResources(encryption: Encryption): readonly StoredResource[] {
  return BUILTIN_RESOURCES.filter(
    (resource) => resource.path === SECRETS || encryption.transformer(resource).encrypts,
  );
}

async function firstOf(
  etcd: Etcd,
  prefix: string,
  signal: AbortSignal,
): Promise<KeyValue | undefined> {
  const range = { key: prefix, rangeEnd: prefixEnd(prefix), limit: 1 };
  return (await etcd.range(range, { signal })).kvs[0];
}

/** undefined: it opens. */
async function whyClosed(
  encryption: Encryption,
  resource: StoredResource,
  { key, value }: KeyValue,
): Promise<string | undefined> {
  try {
    const opened = await encryption.transformer(resource).decrypt(value, key);
    return opened.kind === "unreadable" ? opened.message : undefined;
  } catch (error) {
    if (!(error instanceof EncryptionUnavailable)) throw error;
    return error.message;
  }
}

export interface PlainParts {
  readonly rules: Ruleset | undefined;
  readonly source: Encryption;
  readonly destination: Encryption;
  readonly allowPlaintext: boolean;
}

/** Of resources that rules name: encrypted in the source, and not so in the destination. */
export async function plaintext(
  etcd: Etcd,
  kubePrefix: string,
  { rules, source, destination, allowPlaintext }: PlainParts,
  signal: AbortSignal,
): Promise<Outcome> {
  const plain: string[] = [];
  for (const resource of encryptedResources(source)) {
    if (rules?.wants(resource) !== true || destination.transformer(resource).encrypts) continue;
    const kv = await firstOf(etcd, `${kubePrefix}/${resource.path}/`, signal);
    const isSecret = source.transformer(resource).encrypts || (kv && isEncrypted(kv.value));
    if (isSecret === true) plain.push(resource.resource);
  }
  if (plain.length === 0) return ok("what is encrypted in the source is encrypted here");
  const message = `encrypted in the source, and plain here: ${plain.join(", ")}`;
  if (allowPlaintext) return warn(`${message}; --allow-plaintext lets them be written so`);
  return fail(
    `${message}; they will be owed`,
    { text: "name the destination's configuration by --dest-encryption-provider-config" },
    "dest-plaintext",
  );
}
