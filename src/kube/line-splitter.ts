/** Lines out of a stream of bytes, however it was cut. */

const NEWLINE = 0x0a;

/**
 * Splits at newlines. Works on bytes, so a cut inside a UTF-8 character is no special case, and joins the parts of
 * a long line once, when it is complete. What follows the last newline is kept until its end arrives.
 */
export class LineSplitter {
  #parts: Buffer[] = [];
  #pendingBytes = 0;

  /** @param maxLineBytes a longer line makes `push` answer "too-long" */
  constructor(private readonly maxLineBytes: number) {}

  /** Bytes of the line that has no end yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Calls `onLine` for each line that ends in this chunk, without its newline. After "too-long" the splitter is spent. */
  push(chunk: Buffer, onLine: (line: string) => void): "ok" | "too-long" {
    let start = 0;
    let end = chunk.indexOf(NEWLINE);
    while (end !== -1) {
      if (this.#pendingBytes + end - start > this.maxLineBytes) {
        return "too-long";
      }
      onLine(this.#line(chunk, start, end));
      start = end + 1;
      end = chunk.indexOf(NEWLINE, start);
    }
    if (start < chunk.length) {
      this.#parts.push(start === 0 ? chunk : chunk.subarray(start));
      this.#pendingBytes += chunk.length - start;
    }
    return this.#pendingBytes > this.maxLineBytes ? "too-long" : "ok";
  }

  #line(chunk: Buffer, start: number, end: number): string {
    if (this.#parts.length === 0) {
      return chunk.toString("utf8", start, end);
    }
    this.#parts.push(chunk.subarray(start, end));
    const line = Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#pendingBytes = 0;
    return line;
  }
}
