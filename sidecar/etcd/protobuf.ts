/**
 * The part of protobuf's encoding that etcd's messages use: varints, length-delimited fields, unknown fields skipped.
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** Builds one message. Values are not copied until `finish`. */
export class Writer {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** A field at its default (0n, false, empty) is left out, as proto3 does. */
  int(field: number, value: bigint): this {
    return value === 0n ? this : this.presentInt(field, value);
  }

  /** Zero is written too: which branch of a oneof is set is told by its presence. */
  presentInt(field: number, value: bigint): this {
    this.#push(varint(BigInt(field << 3)));
    this.#push(varint(BigInt.asUintN(64, value)));
    return this;
  }

  bool(field: number, value: boolean | undefined): this {
    return this.int(field, value === true ? 1n : 0n);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  bytes(field: number, value: Uint8Array): this {
    if (value.length === 0) return this;
    this.#header(field, value.length);
    this.#push(value);
    return this;
  }

  /** Written even when it is empty, as `presentInt`. */
  message(field: number, message: Writer): this {
    this.#header(field, message.#bytes);
    for (const chunk of message.#chunks) this.#push(chunk);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks, this.#bytes);
  }

  #header(field: number, length: number): void {
    this.#push(lengthHeader((field << 3) | 2, length));
  }

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }
}

/** A message cannot be read: what answers is no etcd. */
class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** Reads one message, field by field, in place: `bytes` shares the message's memory. */
export class Reader {
  #at: number;

  constructor(
    private readonly buffer: Buffer,
    start = 0,
    private readonly end: number = buffer.length,
  ) {
    this.#at = start;
  }

  /** The next field's number, 0 at the end. Its wire type is kept for `skip`. */
  field(): number {
    if (this.#at >= this.end) return 0;
    const tag = this.#small();
    this.#wireType = tag & 7;
    return tag >>> 3;
  }
  #wireType = 0;

  /** int64 as etcd means it; most fit 49 bits and never touch a slow path. */
  int(): bigint {
    return BigInt.asIntN(64, this.uint());
  }

  uint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessage("a number of more than ten bytes");
  }

  bool(): boolean {
    return this.uint() !== 0n;
  }

  bytes(): Buffer {
    const end = this.#length();
    const bytes = this.buffer.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  text(): string {
    const end = this.#length();
    const text = this.buffer.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }

  /** A reader of the message inside this field. */
  message(): Reader {
    const end = this.#length();
    const inner = new Reader(this.buffer, this.#at, end);
    this.#at = end;
    return inner;
  }

  /** Passes over a field that we do not know. */
  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.uint();
        return;
      case 1:
        this.#at += 8;
        return;
      case 2:
        this.#at = this.#length();
        return;
      case 5:
        this.#at += 4;
        return;
    }
    throw new MalformedMessage(`wire type ${this.#wireType}`);
  }

  #length(): number {
    const end = this.#small() + this.#at;
    if (end > this.end) throw new MalformedMessage("a field that is longer than its message");
    return end;
  }

  #small(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedMessage("a length of more than five bytes");
  }

  #byte(): number {
    const byte = this.#at < this.end ? this.buffer[this.#at++] : undefined;
    if (byte === undefined) throw new MalformedMessage("the message ends inside a field");
    return byte;
  }
}

function lengthHeader(tag: number, length: number): Uint8Array {
  const header: number[] = [];
  for (const number of [tag, length]) {
    let rest = number;
    for (; rest > 0x7f; rest >>>= 7) header.push((rest & 0x7f) | 0x80);
    header.push(rest);
  }
  return Uint8Array.from(header);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
