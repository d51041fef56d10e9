/** A YAML document as nodes that know their line, and the problems that were found in it. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "./config.js";

export class ConfigSource {
  readonly root: Node;
  readonly #problems: ConfigProblem[] = [];

  constructor(text: string) {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const reading: Reading = {
      lineOf: (value) => lines.linePos((isNode(value) ? value.range?.[0] : undefined) ?? 0).line,
      resolved: (value) => (isAlias(value) ? value.resolve(document) : value),
      report: (problem) => void this.#problems.push(problem),
    };
    for (const { code, pos } of document.errors) {
      // Only the code: the parser's message may quote the line, and the line may be a key.
      const { line } = lines.linePos(pos[0]);
      reading.report({ line, path: "", message: `is no valid YAML (${code})` });
    }
    const contents = document.errors.length === 0 ? document.contents : undefined;
    this.root = new Node(contents, { path: "", line: reading.lineOf(contents) }, reading);
  }

  get problems(): readonly ConfigProblem[] {
    return this.#problems;
  }
}

interface Reading {
  /** Where a node begins; 1 for what is no node. */
  readonly lineOf: (value: unknown) => number;
  /** What an alias stands for. */
  readonly resolved: (value: unknown) => unknown;
  readonly report: (problem: ConfigProblem) => void;
}

/** For people: of a map's value the line of its key. */
interface Place {
  readonly path: string;
  readonly line: number;
}

/** One value. What is asked for and is not so becomes a problem; the answer is undefined then. */
export class Node {
  constructor(
    private readonly value: unknown,
    private readonly place: Place,
    private readonly reading: Reading,
  ) {}

  problem(message: string): void {
    this.reading.report({ ...this.place, message });
  }

  /** A map's values by key; keys that are not in `known` are problems. */
  fields(known: readonly string[]): ReadonlyMap<string, Node> | undefined {
    // A document that is no YAML has been reported; no use in saying that it is no map either.
    if (this.value === undefined) return undefined;
    if (!isMap(this.value)) {
      this.problem("is no map");
      return undefined;
    }
    const fields = new Map<string, Node>();
    for (const { key, value } of this.value.items) {
      const name = isScalar(key) ? String(key.value) : "";
      const node = this.#child(name, value, this.reading.lineOf(key));
      if (known.includes(name)) fields.set(name, node);
      else node.problem(`is no known key (known: ${known.join(", ")})`);
    }
    return fields;
  }

  /** A map's value; its absence is a problem. */
  required(key: string): Node | undefined {
    const pair = isMap(this.value)
      ? this.value.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    if (pair !== undefined) return this.#child(key, pair.value, this.reading.lineOf(pair.key));
    this.problem(`has no ${key}`);
    return undefined;
  }

  /** A list with at least one element. */
  elements(): readonly Node[] {
    if (!isSeq(this.value) || this.value.items.length === 0) {
      this.problem("is no list with at least one element");
      return [];
    }
    return this.value.items.map((item, index) => {
      const place = { path: `${this.place.path}[${index}]`, line: this.reading.lineOf(item) };
      return new Node(this.reading.resolved(item), place, this.reading);
    });
  }

  text(): string | undefined {
    if (isScalar(this.value) && typeof this.value.value === "string") return this.value.value;
    this.problem("is no text");
    return undefined;
  }

  /** Something stands there, be it an empty map. */
  get isPresent(): boolean {
    return this.value !== null && !(isScalar(this.value) && this.value.value === null);
  }

  #child(name: string, value: unknown, line: number): Node {
    const path = this.place.path === "" ? name : `${this.place.path}.${name}`;
    return new Node(this.reading.resolved(value), { path, line }, this.reading);
  }
}
