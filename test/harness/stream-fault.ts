import { Transform, type TransformCallback } from "node:stream";

/** What to do to a streamed body, a watch's lines of JSON most of all. Byte counts are of the body as it is sent. */
export interface StreamFaults {
  /** Lines to add, each after so many lines of the original (0: first of all). Given without the newline. */
  readonly inject?: readonly { readonly afterLines: number; readonly line: string }[];
  /** The body ends in good order after so many ms, with the line begun left unfinished. */
  readonly endAfterMs?: number;
  /** The body ends in good order after so many lines. */
  readonly endAfterLines?: number;
  /** Pieces of at most so many bytes, each a chunk of its own: 1 splits every UTF-8 character there is. */
  readonly chunkBytes?: number;
  /** Everything arrives so much later, the end too; in its order. */
  readonly delayMs?: number;
}

const NEWLINE = 0x0a;

/** Applies StreamFaults to the bytes that pass through. Bytes leave in the tick in which they came. */
export class FaultyStream extends Transform {
  #lines = 0;
  #atLineStart = true;
  readonly #waiting: string[] = [];
  readonly #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(private readonly faults: StreamFaults) {
    super();
    this.#injectDue();
    if (faults.endAfterMs !== undefined) {
      this.#timer = setTimeout(() => this.finish(), faults.endAfterMs);
    }
  }

  /** Adds a line as soon as the line that is passing has ended: at once when none is. */
  injectLine(line: string): void {
    this.#waiting.push(line);
    if (this.#atLineStart) this.#sendWaiting();
  }

  /** Ends the body in good order; what still comes is dropped. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.push(null);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    while (from < chunk.length && !this.#over) {
      const newline = chunk.indexOf(NEWLINE, from);
      const to = newline === -1 ? chunk.length : newline + 1;
      this.#send(chunk.subarray(from, to));
      this.#atLineStart = newline !== -1;
      if (this.#atLineStart) this.#lineEnded();
      from = to;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    clearTimeout(this.#timer);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }

  #lineEnded(): void {
    this.#lines++;
    this.#injectDue();
    this.#sendWaiting();
    if (this.#lines === this.faults.endAfterLines) this.finish();
  }

  #injectDue(): void {
    for (const { afterLines, line } of this.faults.inject ?? []) {
      if (afterLines === this.#lines) this.#send(Buffer.from(`${line}\n`));
    }
  }

  #sendWaiting(): void {
    for (const line of this.#waiting.splice(0)) this.#send(Buffer.from(`${line}\n`));
  }

  #send(bytes: Buffer): void {
    if (!this.#over) this.push(bytes);
  }
}

/** Lets bytes through in pieces of at most `chunkBytes`, one per turn of the event loop, so that readers see them apart. */
export class Splitter extends Transform {
  constructor(private readonly chunkBytes: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const sendFrom = (at: number): void => {
      const next = at + this.chunkBytes;
      this.push(chunk.subarray(at, next));
      if (next >= chunk.length) done();
      else setImmediate(sendFrom, next);
    };
    sendFrom(0);
  }
}

/** Lets bytes through so many ms after they came. It holds as much as comes meanwhile: no back-pressure. */
export class Delayed extends Transform {
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(private readonly delayMs: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#later(() => this.push(chunk));
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#later(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const timer of this.#timers) clearTimeout(timer);
    done(error);
  }

  /** NB: timers of one duration fire in the order in which they were set. */
  #later(act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, this.delayMs);
    this.#timers.add(timer);
  }
}
