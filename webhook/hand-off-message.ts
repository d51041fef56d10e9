/**
 * A batch as replicas send it to each other: JSON, written here and believed only after it was read here. The bounds hold for
 * both, so that no hint can be kept that the leader would refuse: it would hold up all that are sent with it.
 */
import type { ServiceKey } from "../src/domain/service-key.js";
import { MAX_BATCH_HINTS, type HandOffBatch } from "../src/ports/hand-off.js";
import type { Hint } from "../src/ports/hint.js";
import { MAX_UNTRUSTED_CHARS, printable } from "../src/ports/printable.js";
import { Fields } from "./fields.js";
import { readJson } from "./json-text.js";

/** A batch and who sends it. */
export interface HandOffMessage {
  /** The replica's pod name; for people. */
  readonly from: string;
  readonly batch: HandOffBatch;
}

export type ReadMessage =
  | { readonly kind: "message"; readonly message: HandOffMessage }
  /** The sender's fault, in words for its log. */
  | { readonly kind: "bad"; readonly reason: string };

/** RFC 1123, as every name that an API server stores under a path. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;
/** Ours have 16 characters, Kubernetes' uids 36. */
const ID = /^[\x21-\x7e]{1,128}$/;
/** What a Date can hold. */
const MAX_TIME_MS = 8_640_000_000_000_000;

const OPERATIONS = ["create", "update", "delete"] as const;

/**
 * The hint with every text in its bounds; undefined for one of a name or uid that no object can have. A change-id that is none of
 * ours is left out: where nobody stamps, users write into the annotation what they like.
 */
export function boundedHint(hint: Hint): Hint | undefined {
  const { service, changeId, by, uid } = hint;
  if (!isServiceKey(service) || !isUid(uid)) return undefined;
  return { ...hint, changeId: isId(changeId) ? changeId : undefined, by: printable(by) };
}

export function writeMessage({ from, batch }: HandOffMessage): string {
  return JSON.stringify({ from: printable(from), hints: batch.hints, resync: batch.resync });
}

export function readMessage(body: Buffer): ReadMessage {
  const json = readJson(body);
  if (json.kind === "bad") return json;
  const fields = Fields.of("batch", json.value);
  const from = shortText(fields, "from");
  const [list, resync] = [fields.objects("hints"), fields.flag("resync")];
  if (from === "") fields.miss("from");
  if (list === undefined) fields.miss("hints");
  if (resync === undefined) fields.miss("resync");
  const sent = list ?? [];
  if (sent.length > MAX_BATCH_HINTS) {
    fields.fail(`batch.hints has more than ${MAX_BATCH_HINTS} entries`);
  }
  const hints = sent.slice(0, MAX_BATCH_HINTS).flatMap((one) => hintIn(one) ?? []);
  const { problem } = fields;
  if (problem !== undefined) return { kind: "bad", reason: problem };
  return { kind: "message", message: { from, batch: { hints, resync: resync ?? false } } };
}

/** undefined, with the problem, when something is wrong. */
function hintIn(fields: Fields): Hint | undefined {
  const service = fields.text("service") ?? "";
  const sent = fields.text("operation");
  const operation = OPERATIONS.find((one) => one === sent);
  const changeId = fields.text("changeId");
  const uid = fields.text("uid") ?? "";
  const by = shortText(fields, "by");
  const admittedAtMs = fields.integer("admittedAtMs") ?? -1;
  const isTime = admittedAtMs >= 0 && admittedAtMs <= MAX_TIME_MS;
  if (!isTime) fields.fail(`${fields.path}.admittedAtMs is no time`);
  if (operation === undefined) {
    fields.fail(`${fields.path}.operation is none of ${OPERATIONS.join(", ")}`);
  }
  if (changeId !== undefined && !isId(changeId)) fields.fail(`${fields.path}.changeId is no id`);
  if (!isUid(uid)) fields.fail(`${fields.path}.uid is no uid`);
  if (!isServiceKey(service)) {
    fields.fail(`${fields.path}.service is no "namespace/name"`);
    return undefined;
  }
  return operation && { service, operation, changeId, by, uid, admittedAtMs };
}

/** "" when it is not there. */
function shortText(fields: Fields, key: string): string {
  const text = fields.text(key) ?? "";
  if (text.length > MAX_UNTRUSTED_CHARS) fields.fail(`${fields.path}.${key} is too long`);
  return text;
}

function isServiceKey(text: string): text is ServiceKey {
  const [namespace = "", name = "", ...rest] = text.split("/", 3);
  return NAMESPACE.test(namespace) && NAME.test(name) && rest.length === 0;
}

function isId(text: string | undefined): text is string {
  return text !== undefined && ID.test(text);
}

function isUid(text: string): boolean {
  return text === "" || ID.test(text);
}
