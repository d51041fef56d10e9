/**
 * A YAML document as a strict reader wants it: every value knows its line and its path, keys are found without regard to case
 * (as Go decodes them), and all that is wrong is collected, never thrown.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";

/** One mistake in a rules file. */
export interface RuleProblem {
  /** From 1. */
  readonly line: number;
  /** "filters.secondary[0].resources[1].kind"; "" for the file as a whole. */
  readonly path: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** What all nodes of one document share. */
interface Source {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly problems: RuleProblem[];
}

/** Reads a text; undefined: it holds no document, or it is not YAML, which `problems` then says. */
export function readYaml(text: string, problems: RuleProblem[]): YamlNode | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  });
  for (const { pos, message } of document.errors) {
    const line = lines.linePos(pos[0]).line;
    problems.push({ line, path: "", message: `this is not valid YAML: ${message}` });
  }
  if (document.errors.length > 0) return undefined;
  const root = new YamlNode({ document, lines, problems }, document.contents, "", 1);
  return root.isEmpty ? undefined : root;
}

export class YamlNode {
  constructor(
    private readonly source: Source,
    private readonly value: unknown,
    readonly path: string,
    /** Line of the key, or of the element in its list. */
    readonly line: number,
  ) {}

  /** Nothing is written, or null. */
  get isEmpty(): boolean {
    return this.value === null || (isScalar(this.value) && this.value.value === null);
  }

  problem(message: string): void {
    this.source.problems.push({ line: this.line, path: this.path, message });
  }

  /** The elements of a list; none when nothing is written. */
  list(): readonly YamlNode[] {
    if (this.isEmpty) return [];
    if (!isSeq(this.value)) {
      this.problem("is not a list");
      return [];
    }
    return this.value.items.map((item, index) => this.#child(item, item, `${this.path}[${index}]`));
  }

  /** Keys as they are written with their values; a key that is written twice is a problem. `undefined`: no map. */
  entries(
    sameKey: (key: string) => string = (key) => key,
  ): ReadonlyMap<string, YamlNode> | undefined {
    if (!isMap(this.value)) {
      this.problem("is not a map of keys");
      return undefined;
    }
    const found = new Map<string, YamlNode>();
    const seen = new Set<string>();
    for (const { key, value } of this.value.items) {
      const written = isScalar(key) ? (key.source ?? String(key.value)) : "?";
      const path = this.path === "" ? written : `${this.path}.${written}`;
      const node = this.#child(key, value, path);
      if (seen.has(sameKey(written))) node.problem("is written twice");
      else found.set(written, node);
      seen.add(sameKey(written));
    }
    return found;
  }

  /**
   * A scalar as it is written: `true` and `1` are the texts "true" and "1", as they become where Go decodes into a string.
   * undefined when nothing is written, and, with a problem, when it is no single value.
   */
  text(): string | undefined {
    if (this.isEmpty) return undefined;
    if (!isScalar(this.value)) {
      this.problem("is not a single value");
      return undefined;
    }
    const { value, source } = this.value;
    return typeof value === "string" ? value : (source ?? String(value));
  }

  #child(place: unknown, value: unknown, path: string): YamlNode {
    const { document, lines } = this.source;
    const offset = startOf(place);
    const line = offset === undefined ? this.line : lines.linePos(offset).line;
    if (!isAlias(value)) return new YamlNode(this.source, value, path, line);
    const target = value.resolve(document);
    const node = new YamlNode(this.source, target ?? null, path, line);
    // Taken for nothing it would widen a rule: an empty list of selectors matches everything.
    if (target === undefined) node.problem(`*${value.source} refers to no anchor before it`);
    return node;
  }
}

function startOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range?.[0];
}
