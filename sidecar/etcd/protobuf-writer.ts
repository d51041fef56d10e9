/**
 * Builds one message of protobuf in one buffer, from front to end. A transaction has a dozen small messages in it: a buffer for
 * each piece, put together at the end, took three times as long as everything else about sending it.
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** What a request without values needs. */
const FIRST_BYTES = 512;
/** A tag, or a length, or a number: ten groups of seven bits hold 64. */
const MAX_VARINT_BYTES = 10;
/** Bytes of one UTF-16 unit in UTF-8, at most. */
const MAX_BYTES_PER_UNIT = 3;
const BYTES = 2;

export class Writer {
  #buffer: Buffer;
  #at = 0;

  /** @param bytes what the message is likely to take; it grows where that is too little */
  constructor(bytes = FIRST_BYTES) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  /** A field at its default (0n, false, empty) is left out, as proto3 does. */
  int(field: number, value: bigint): this {
    return value === 0n ? this : this.presentInt(field, value);
  }

  /** Zero is written too: which branch of a oneof is set is told by its presence. */
  presentInt(field: number, value: bigint): this {
    this.#room(2 * MAX_VARINT_BYTES);
    this.#number(field << 3);
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) this.#number(Number(value));
    else this.#large(BigInt.asUintN(64, value));
    return this;
  }

  bool(field: number, value: boolean | undefined): this {
    return this.int(field, value === true ? 1n : 0n);
  }

  text(field: number, value: string): this {
    if (value === "") return this;
    this.#room(value.length * MAX_BYTES_PER_UNIT + 2 * MAX_VARINT_BYTES);
    const start = this.#open(field, value.length);
    this.#at += this.#buffer.write(value, this.#at, "utf8");
    this.#close(start, value.length);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.presentBytes(field, value);
  }

  /** Empty ones are written too, as `presentInt`. */
  presentBytes(field: number, value: Uint8Array): this {
    this.#room(value.length + 2 * MAX_VARINT_BYTES);
    this.#number((field << 3) | BYTES);
    this.#number(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /**
   * Written even when it is empty, as `presentInt`.
   * @param content writes the fields of the inner message, into this same writer
   * @param bytes about how long it will be: where the length takes more or fewer bytes than this one's would, all is moved once
   */
  message(field: number, content: (message: this) => void, bytes = 0): this {
    this.#room(bytes + 2 * MAX_VARINT_BYTES);
    const start = this.#open(field, bytes);
    content(this);
    this.#close(start, bytes);
    return this;
  }

  /** Shares the writer's memory: nothing is written afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** The tag, and room for a length of this size. @returns where the content begins */
  #open(field: number, expected: number): number {
    this.#number((field << 3) | BYTES);
    return (this.#at += widthOf(expected));
  }

  /** The length of what was written since, in front of it. */
  #close(start: number, expected: number): void {
    const length = this.#at - start;
    const reserved = widthOf(expected);
    const needed = widthOf(length);
    if (needed !== reserved) {
      this.#room(MAX_VARINT_BYTES);
      this.#buffer.copyWithin(start - reserved + needed, start, this.#at);
    }
    this.#at = start - reserved;
    this.#number(length);
    this.#at += length;
  }

  /** Non-negative and exact, so below 2^53. */
  #number(value: number): void {
    let rest = value;
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    for (; rest > 0x7f; rest >>>= 7) this.#byte((rest & 0x7f) | 0x80);
    this.#byte(rest);
  }

  #large(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#byte(Number(rest & 0x7fn) | 0x80);
    this.#byte(Number(rest));
  }

  #byte(value: number): void {
    this.#buffer[this.#at++] = value;
  }

  /** So many bytes more can be written. */
  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

/** Bytes that a length takes. */
function widthOf(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  return length < 0x20_0000 ? 3 : 4;
}
