/** The `--config` file: YAML, strict, with the line of everything, so that each complaint can say where. */
import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import {
  destinationSchema,
  routeSchema,
  type FileDestination,
  type FileRoute,
} from "./file-schema.js";
import { problem, type Problem } from "./problems.js";
import { schemaProblems, unknownKey, type FilePath, type FilePlaces } from "./schema-problems.js";
import { settingKey } from "./setting.js";
import { settingList } from "./settings.js";

/** One element of a list with the name of its place in messages. */
export interface FileEntry<T> {
  readonly value: T;
  /** "ferry.yaml:12 routes[0]", or of one of its keys. */
  readonly label: (...path: FilePath) => string;
}

export interface ConfigFile {
  /** Values of the settings table as a flag would write them, by key. */
  readonly settings: ReadonlyMap<string, { readonly label: string; readonly text: string }>;
  /** undefined: the file has no such list. Entries that are wrong are left out; `problems` names them. */
  readonly destinations: readonly FileEntry<FileDestination>[] | undefined;
  readonly routes: readonly FileEntry<FileRoute>[] | undefined;
  /** Destinations that were written, right or wrong; undefined: no list. */
  readonly destinationCount: number | undefined;
  readonly problems: readonly Problem[];
}

/** @param name the path as the user gave it */
export function parseConfigFile(name: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map(({ pos, message }) =>
    problem(`${name}:${lines.linePos(pos[0]).line}`, `is not valid YAML: ${message}`),
  );
  const root: unknown = syntax.length === 0 ? (document.toJS() ?? {}) : {};
  if (syntax.length > 0 || !isRecord(root)) {
    const shape = syntax.length > 0 ? syntax : [problem(name, "is not a map of keys")];
    return { ...NOTHING, problems: shape };
  }
  const problems: Problem[] = [];
  const listed = root["destinations"];
  const places: FilePlaces = {
    label: (path) => `${name}:${lineOf(document, path, lines)} ${pathText(path)}`,
    at: (path) => valueAt(root, path),
  };
  return {
    settings: settingTexts(root, places, problems),
    destinations: list("destinations", destinationSchema, root, places, problems),
    routes: list("routes", routeSchema, root, places, problems),
    destinationCount: Array.isArray(listed) ? listed.length : undefined,
    problems,
  };
}

const NOTHING = {
  settings: new Map<string, never>(),
  destinations: undefined,
  routes: undefined,
  destinationCount: undefined,
} as const;

function settingTexts(
  root: Readonly<Record<string, unknown>>,
  places: FilePlaces,
  problems: Problem[],
): ConfigFile["settings"] {
  const keys = new Set(settingList().map(({ name }) => settingKey(name)));
  const known = [...keys, "destinations", "routes"];
  const texts = new Map<string, { label: string; text: string }>();
  for (const [key, value] of Object.entries(root)) {
    if (key === "destinations" || key === "routes") continue;
    if (!keys.has(key)) problems.push(unknownKey([key], places, known));
    else if (isScalar(value)) texts.set(key, { label: places.label([key]), text: String(value) });
    else problems.push(problem(places.label([key]), "is not a single value"));
  }
  return texts;
}

function list<S extends z.ZodType>(
  key: string,
  schema: S,
  root: Readonly<Record<string, unknown>>,
  places: FilePlaces,
  problems: Problem[],
): readonly FileEntry<z.output<S>>[] | undefined {
  const elements = root[key];
  if (elements === undefined) return undefined;
  if (!Array.isArray(elements) || elements.length === 0) {
    problems.push(problem(places.label([key]), "is not a list with at least one entry"));
    return undefined;
  }
  return elements.flatMap((element: unknown, index) => {
    const base = [key, index];
    const parsed = schema.safeParse(element);
    if (!parsed.success) {
      problems.push(...schemaProblems(parsed.error.issues, base, places, keysOf(schema)));
      return [];
    }
    return [{ value: parsed.data, label: (...path) => places.label([...base, ...path]) }];
  });
}

/** The keys that the schema knows at a path. */
function keysOf(schema: z.ZodType): (path: FilePath) => readonly string[] {
  return (path) => {
    let current: unknown = schema;
    for (const part of path) current = property(unwrapped(current), "shape", String(part));
    const shape = property(unwrapped(current), "shape");
    return isRecord(shape) ? Object.keys(shape) : [];
  };
}

/** An optional schema's inner one. */
function unwrapped(schema: unknown): unknown {
  return property(schema, "def", "innerType") ?? schema;
}

function property(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (current, key) => (isRecord(current) ? current[key] : undefined),
    value,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function valueAt(root: unknown, path: FilePath): unknown {
  return path.reduce<unknown>((current, key) => {
    if (Array.isArray(current)) return current[Number(key)];
    return isRecord(current) ? current[String(key)] : undefined;
  }, root);
}

/** The line of the key or element; of what is missing: that of the nearest thing around it. */
function lineOf(document: Document.Parsed, path: FilePath, lines: LineCounter): number {
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document.Parsed, path: FilePath): number | undefined {
  const key = path.at(-1);
  const parent: unknown =
    path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => String(item.key) === String(key));
    return rangeStart(pair?.key);
  }
  return rangeStart(document.getIn(path, true));
}

function rangeStart(node: unknown): number | undefined {
  const range = property(node, "range");
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === "number" ? start : undefined;
}

function pathText(path: FilePath): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`,
    )
    .join("");
}
