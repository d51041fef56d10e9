/** The source's values as the view reads them. A KMS plugin of the source that does not answer is waited for, as the source itself is. */
import type { KeyValue } from "../etcd/etcd.js";
import type { Reading } from "../view/source-view.js";
import type { StoredObject } from "../wire/stored-object.js";
import type { WriterParts } from "./parts.js";
import { patiently } from "./patiently.js";

type Parts = Pick<WriterParts, "view" | "clock" | "log" | "transactions">;

/** See SourceView.read. @throws what no attempt mends, when the term is over too */
export function readPatiently(parts: Parts, kv: KeyValue | undefined): Reading | Promise<Reading> {
  const { view } = parts;
  const first = view.read(kv);
  if (!(first instanceof Promise)) return first;
  let next: Reading | Promise<Reading> | undefined = first;
  return patiently(parts, async () => {
    const reading = next ?? view.read(kv);
    next = undefined;
    return reading;
  });
}

/** See SourceView.peek. @throws what no attempt mends, when the term is over too */
export function peekPatiently(parts: Parts, kv: KeyValue): Promise<StoredObject | undefined> {
  return patiently(parts, () => parts.view.peek(kv));
}
