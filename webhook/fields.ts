import type { StringMap } from "../src/domain/objects.js";

/**
 * Reads a JSON object field by field, each as what it has to be. null counts as absent: that is how Go writes a time that is
 * not set. What is something else reads as absent too, and the first such field is remembered with its path: whoever began
 * looks at `problem` once, at the end.
 */
export class Fields {
  private constructor(
    readonly path: string,
    private readonly record: Readonly<Record<string, unknown>>,
    private readonly found: Found,
  ) {}

  /** Reads as an empty object what is none. */
  static of(path: string, value: unknown): Fields {
    const found: Found = { problem: undefined };
    if (!isRecord(value)) found.problem = `${path} is not an object`;
    return new Fields(path, isRecord(value) ? value : {}, found);
  }

  /** The first that was found, in this object or any that was read from it. */
  get problem(): string | undefined {
    return this.found.problem;
  }

  fail(problem: string): void {
    this.found.problem ??= problem;
  }

  text(key: string): string | undefined {
    return this.#read(key, isText, "a string");
  }

  /** "" when it is not there, and that is a problem. */
  required(key: string): string {
    const text = this.text(key) ?? "";
    if (text === "") this.miss(key);
    return text;
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, isFlag, "true or false");
  }

  integer(key: string): number | undefined {
    return this.#read(key, isInteger, "a whole number");
  }

  integerOrText(key: string): number | string | undefined {
    return this.#read(key, isIntegerOrText, "a whole number or a string");
  }

  texts(key: string): readonly string[] | undefined {
    return this.#read(key, isTexts, "a list of strings");
  }

  map(key: string): StringMap | undefined {
    return this.#read(key, isStringMap, "an object of strings");
  }

  /** As it was sent. */
  raw(key: string): Readonly<Record<string, unknown>> | undefined {
    return this.#read(key, isRecord, "an object");
  }

  object(key: string): Fields | undefined {
    const record = this.raw(key);
    return record && new Fields(this.#pathOf(key), record, this.found);
  }

  objects(key: string): readonly Fields[] | undefined {
    const list = this.#read(key, isRecords, "a list of objects");
    return list?.map(
      (record, index) => new Fields(`${this.#pathOf(key)}[${index}]`, record, this.found),
    );
  }

  /** Whoever needs `key` says so when it is not there. */
  miss(key: string): void {
    this.fail(`${this.#pathOf(key)} is missing`);
  }

  #read<T>(key: string, is: (value: unknown) => value is T, what: string): T | undefined {
    const value = this.record[key];
    if (value === undefined || value === null) return undefined;
    if (is(value)) return value;
    this.fail(`${this.#pathOf(key)} is not ${what}`);
    return undefined;
  }

  /** Harmless in a log: keys are those that we ask for, never those that were sent. */
  #pathOf(key: string): string {
    return `${this.path}.${key}`;
  }
}

/** One for all that is read from one object. */
interface Found {
  problem: string | undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRecords(value: unknown): value is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.every(isRecord);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isIntegerOrText(value: unknown): value is number | string {
  return isInteger(value) || isText(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isStringMap(value: unknown): value is StringMap {
  return isRecord(value) && Object.values(value).every(isText);
}
