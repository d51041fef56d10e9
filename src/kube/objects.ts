/** Objects and lists as a server sent them, checked as far as everyone relies on it. */

import type { KubeList, KubeObject } from "../ports/kube-api.js";
import { isRecord, parseJson, text } from "./json.js";

/** undefined unless it has a name. A Status has none, so it is never taken for an object. */
export function parseObject(value: unknown): KubeObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The parsing edge: the name is checked, all else in KubeObject is optional and read with care. */
function isObject(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value["metadata"]) && text(value["metadata"]["name"]) !== "";
}

/** undefined when the body is not one. */
export function parseObjectBody(body: Buffer): KubeObject | undefined {
  return parseObject(parseJson(body.toString("utf8")));
}

/**
 * undefined unless it is a whole list: with a resource version, with `items` (null is how Go writes an empty one) and
 * with a name on each item. A body without `items` is no empty list: "nothing there" must never be read out of a bad answer.
 */
export function parseListBody(body: Buffer): KubeList | undefined {
  const value = parseJson(body.toString("utf8"));
  if (!isRecord(value) || !text(value["kind"]).endsWith("List") || !isRecord(value["metadata"])) {
    return undefined;
  }
  const items = parseItems(value["items"]);
  const resourceVersion = text(value["metadata"]["resourceVersion"]);
  if (items === undefined || resourceVersion === "") {
    return undefined;
  }
  const token = text(value["metadata"]["continue"]);
  return { items, resourceVersion, continueToken: token === "" ? undefined : token };
}

function parseItems(value: unknown): readonly KubeObject[] | undefined {
  if (value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    return undefined;
  }
  const items = value.flatMap((item) => parseObject(item) ?? []);
  return items.length === value.length ? items : undefined;
}
