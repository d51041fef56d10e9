/** Frames of WebSocket (RFC 6455), as far as a client of an API server's tunnels needs them. Pure. */

export type FrameKind = "data" | "close" | "ping" | "pong";

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** Continuations and text are data as well: what is tunnelled is a stream of bytes. */
const KINDS: readonly (FrameKind | undefined)[] = [
  "data",
  "data",
  "data",
  ...Array<undefined>(5).fill(undefined),
  "close",
  "ping",
  "pong",
];
const OPCODES: Readonly<Record<FrameKind, number>> = { data: 2, close: 8, ping: 9, pong: 10 };

/**
 * A frame of a client, which masks what it sends.
 * @param mask four bytes; they keep proxies from reading a request into the payload, and are no secret
 */
export function clientFrame(kind: FrameKind, payload: Buffer, mask: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head.writeUInt8(0x80 | OPCODES[kind], 0);
  head.writeUInt8(0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127), 1);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

/** Puts chunks together to a server's frames. */
export class FrameReader {
  #left: Buffer = Buffer.alloc(0);

  /** The frames that end in this chunk. @throws RangeError when it is no WebSocket, or a frame is larger than `maxBytes` */
  push(chunk: Buffer, maxBytes: number): readonly Frame[] {
    this.#left = Buffer.concat([this.#left, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const size = sizeOf(this.#left);
      if (size === undefined) return frames;
      if (size.payload > maxBytes) throw new RangeError(`a frame of ${size.payload} bytes`);
      const end = size.head + size.payload;
      if (this.#left.length < end) return frames;
      const kind = KINDS[(this.#left[0] ?? 0) & 0x0f];
      if (kind === undefined) throw new RangeError("a frame of an unknown kind");
      frames.push({ kind, payload: this.#left.subarray(size.head, end) });
      this.#left = this.#left.subarray(end);
    }
  }
}

/** undefined: the head is not whole yet. */
function sizeOf(bytes: Buffer): { readonly head: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < 126) return { head: 2, payload: short };
  const head = short === 126 ? 4 : 10;
  if (bytes.length < head) return undefined;
  const payload = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { head, payload };
}
