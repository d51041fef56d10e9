/**
 * The protobuf wire format, as far as values are read and spliced without a schema: fields with their places in the buffer, and
 * the bytes of single fields. Nothing is decoded that nobody asks for, and nothing is copied by reading.
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** Not what a writer of this format makes: truncated, damaged, or something else altogether. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** How a field's value is written. Groups (3 and 4) are refused: no message of Kubernetes has one. */
export const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A part of a buffer: `start` ≤ i < `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Ten groups of seven bits hold 64; the tenth has room for one. */
const MAX_VARINT_BYTES = 10;
/** Field numbers have 29 bits, so a tag has 32. */
const MAX_TAG = 2 ** 32;

/**
 * Walks the fields of one message, in their order in the buffer. After `next()` returned true, the properties describe the field
 * that was met; the reader alone edits them.
 *
 * Invariant: it never looks at a byte outside `from` ≤ i < `to`, and each step moves on by two bytes at least.
 */
export class FieldReader {
  /** 1 to 2^29 - 1. */
  number = 0;
  wire = 0;
  /** Where the field begins, its tag included. */
  start = 0;
  /** Where its value begins; for length-delimited ones behind the length. */
  valueStart = 0;
  /** Where its value ends and the next field begins. */
  end: number;

  constructor(
    private readonly bytes: Buffer,
    from: number,
    private readonly to: number,
  ) {
    this.end = from;
  }

  /** @throws Malformed */
  next(): boolean {
    if (this.end >= this.to) return false;
    this.start = this.end;
    const tag = this.#varint(this.start);
    if (tag >= MAX_TAG) throw new Malformed("a field number is too large");
    this.wire = tag % 8;
    this.number = (tag - this.wire) / 8;
    if (this.number === 0) throw new Malformed("a field has the number 0");
    this.valueStart = this.end;
    switch (this.wire) {
      case VARINT:
        this.#varint(this.valueStart);
        return true;
      case FIXED64:
        return this.#take(8);
      case FIXED32:
        return this.#take(4);
      case BYTES: {
        const length = this.#varint(this.valueStart);
        this.valueStart = this.end;
        return this.#take(length);
      }
      default:
        throw new Malformed("a field has a type that is not used");
    }
  }

  /** The value of a varint field: 64 bits, unsigned. @throws Malformed for a field of another type */
  bigint(): bigint {
    this.#expect(VARINT);
    let value = 0n;
    for (let at = this.valueStart; at < this.end; at++) {
      value |= BigInt((this.bytes[at] ?? 0) & 0x7f) << BigInt(7 * (at - this.valueStart));
    }
    return BigInt.asUintN(64, value);
  }

  /** Text of a length-delimited field. Bytes that are no UTF-8 become U+FFFD. @throws Malformed for a field of another type */
  text(): string {
    this.#expect(BYTES);
    return this.bytes.toString("utf8", this.valueStart, this.end);
  }

  /** The content of a length-delimited field, not copied. @throws Malformed for a field of another type */
  content(): Buffer {
    this.#expect(BYTES);
    return this.bytes.subarray(this.valueStart, this.end);
  }

  /** The message in a length-delimited field. @throws Malformed for a field of another type */
  message(): FieldReader {
    this.#expect(BYTES);
    return new FieldReader(this.bytes, this.valueStart, this.end);
  }

  /** Where the content is. @throws Malformed for a field that is not length-delimited */
  span(): Span {
    this.#expect(BYTES);
    return { start: this.valueStart, end: this.end };
  }

  #expect(wire: number): void {
    if (this.wire !== wire) throw new Malformed("a field has another type than its number says");
  }

  /** Exact below 2^53; above, only its size matters to the callers. Leaves `end` behind the varint. */
  #varint(from: number): number {
    let value = 0;
    let scale = 1;
    for (let at = from; at < this.to && at < from + MAX_VARINT_BYTES; at++) {
      const byte = this.bytes[at] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (at === from + MAX_VARINT_BYTES - 1 && byte > 1) break;
        this.end = at + 1;
        return value;
      }
      scale *= 128;
    }
    throw new Malformed("a number is cut off or has more than 64 bits");
  }

  #take(length: number): true {
    // Compared with what is left, not added first: a huge length must not slip past the end.
    if (length > this.to - this.valueStart) throw new Malformed("a field is cut off");
    this.end = this.valueStart + length;
    return true;
  }
}

/** A number as a varint; negative ones take ten bytes, as int64 does. */
export function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A varint field, tag included. */
export function varintField(number: number, value: bigint | number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

/** A length-delimited field, tag included: text (UTF-8), bytes, or a message in one or several parts. */
export function bytesField(number: number, content: string | Buffer | readonly Buffer[]): Buffer {
  const parts = partsOf(content);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(number * 8 + BYTES), varint(length), ...parts]);
}

function partsOf(content: string | Buffer | readonly Buffer[]): readonly Buffer[] {
  if (typeof content === "string") return [Buffer.from(content)];
  return Buffer.isBuffer(content) ? [content] : content;
}

/** Field number -> what stands there instead: whole fields with their tags; empty removes the field. */
export type FieldChanges = ReadonlyMap<number, Buffer>;

/**
 * The content of one message with some fields exchanged, as parts to be put together. All other bytes stay as they are. New
 * fields come where Go's encoder puts them: in ascending order of numbers; a repeated field is exchanged as a whole, where
 * its first element stood.
 * @throws Malformed
 */
export function splice(bytes: Buffer, message: Span, changes: FieldChanges): readonly Buffer[] {
  const parts: Buffer[] = [];
  const waiting = [...changes].toSorted(([a], [b]) => a - b);
  let done = 0;
  const putUpTo = (number: number): void => {
    for (; (waiting[done]?.[0] ?? Infinity) <= number; done++)
      parts.push(waiting[done]?.[1] ?? EMPTY);
  };
  const reader = new FieldReader(bytes, message.start, message.end);
  let keptFrom = message.start;
  while (reader.next()) {
    const replaced = changes.has(reader.number);
    const next = waiting[done]?.[0] ?? Infinity;
    if (!replaced && next > reader.number) continue;
    parts.push(bytes.subarray(keptFrom, reader.start));
    putUpTo(reader.number);
    keptFrom = replaced ? reader.end : reader.start;
  }
  parts.push(bytes.subarray(keptFrom, message.end));
  putUpTo(Number.MAX_SAFE_INTEGER);
  return parts;
}

const EMPTY = Buffer.alloc(0);
