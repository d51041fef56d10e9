/**
 * The part of protobuf's encoding that etcd's answers use: varints, length-delimited fields, unknown fields skipped.
 * Source: protobuf.dev/programming-guides/encoding.
 */

/** A message cannot be read: what answers is no etcd. */
class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** Seven groups of seven bits are an exact double. Three more hold the rest. */
const LOW_BITS = 49n;
const LOW_SCALE = 2 ** 49;
const HIGH_SCALE = 2 ** 21;

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

  /** int64 as etcd means it; most fit 49 bits. The ids of clusters and members do not, and come with every answer. */
  int(): bigint {
    return BigInt.asIntN(64, this.uint());
  }

  uint(): bigint {
    let low = 0;
    for (let scale = 1; scale < LOW_SCALE; scale *= 0x80) {
      const byte = this.#byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return BigInt(low);
    }
    let high = 0;
    for (let scale = 1; scale < HIGH_SCALE; scale *= 0x80) {
      const byte = this.#byte();
      high += (byte & 0x7f) * scale;
      if (byte < 0x80) return BigInt.asUintN(64, (BigInt(high) << LOW_BITS) | BigInt(low));
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
