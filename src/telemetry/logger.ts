/** The log: one record, one line, in both formats; nothing of a secret, nothing that a stranger can forge. */
import { pino, type DestinationStream, type Logger as Pino } from "pino";
import type { Clock } from "../ports/clock.js";
import type { Log, LogFields } from "../ports/log.js";
import { printable } from "../ports/printable.js";
import { rfc3339 } from "../ports/timestamps.js";
import { humanLine, type Level } from "./human-line.js";
import { logRecord, type LogRecord } from "./log-record.js";
import { REDACTED } from "./redact.js";

export interface LoggerOptions {
  readonly format: "human" | "json";
  /** Records below it are not even built. */
  readonly level: Level;
  readonly podName: string;
  readonly clock: Pick<Clock, "now">;
  /** Hears each line that tells of an outcome, in the human format without its end: what became of a change. */
  readonly onOutcome?: ((line: string) => void) | undefined;
  /** Where lines go, each with its end; see log-sink.ts. */
  readonly sink: DestinationStream;
}

const RANK: Readonly<Record<Level, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/**
 * Log port over pino (JSON) or the ancestor's lines (human). The field `text` is the sentence for people: the human
 * format prints it in place of the constant message, JSON has it beside the message.
 */
export class Logger implements Log {
  readonly #json: Pino | undefined;

  constructor(
    private readonly options: LoggerOptions,
    private readonly component?: string,
  ) {
    this.#json = options.format === "json" ? jsonLog(options) : undefined;
  }

  debug(fields: LogFields, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write("error", fields, message);
  }

  child(component: string): Log {
    return new Logger(this.options, component);
  }

  #write(level: Level, fields: LogFields, message: string): void {
    const { options, component } = this;
    if (RANK[level] < RANK[options.level]) return;
    const record = logRecord(fields);
    const { onOutcome } = options;
    const isOutcome = onOutcome !== undefined && "outcome" in record.fields;
    const line = isOutcome || this.#json === undefined ? this.#line(level, message, record) : "";
    if (isOutcome) onOutcome(line);
    if (this.#json === undefined) options.sink.write(`${line}\n`);
    else this.#json[level](jsonFields(record, component), message);
  }

  #line(level: Level, message: string, record: LogRecord): string {
    const { clock, podName } = this.options;
    return humanLine({ timeMs: clock.now(), podName: printable(podName), level, message, record });
  }
}

/** One record's own fields, behind what every record has. */
function jsonFields({ route, text, fields }: LogRecord, component: string | undefined): object {
  const head = { ...(component && { component }), ...(route && { route }), ...(text && { text }) };
  // Under one key of their own when they would shadow the record's own: a field must not forge a level or a time.
  const taken = Object.keys(fields).some((key) => RESERVED.has(key));
  return { ...head, ...(taken ? { fields } : fields) };
}

const RESERVED = new Set(["level", "time", "pod", "component", "message", "route", "text"]);

function jsonLog({ level, podName, clock, sink }: LoggerOptions): Pino {
  return pino(
    {
      level,
      messageKey: "message",
      base: { pod: printable(podName) },
      timestamp: () => `,"time":"${rfc3339(clock.now())}"`,
      // log-record.ts has made plain values of errors; pino's own serializer would add to them.
      serializers: { err: (err: unknown) => err },
      formatters: { level: (label) => ({ level: label }) },
      // The second net; log-record.ts has cleaned every field before.
      redact: { paths: ["*.authorization", "*.token", "authorization", "token"], censor: REDACTED },
    },
    sink,
  );
}
