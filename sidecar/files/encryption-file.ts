/** An EncryptionConfiguration, as it is watched. */
import type { Clock } from "../../src/ports/clock.js";
import { parseEncryptionConfig } from "../encryption/config.js";
import { openEncryption, PLAIN } from "../encryption/encryption.js";
import type { Encryption } from "../encryption/transformer.js";
import type { Reading } from "./watched-file.js";

/** @param text undefined: the file is not there, and nobody named it: nothing is encrypted */
export function readEncryption(
  text: string | undefined,
  path: string,
  clock: Clock,
): Reading<Encryption> {
  if (text === undefined) return { kind: "ok", value: PLAIN, warnings: [] };
  const parsed = parseEncryptionConfig(text);
  if (parsed.kind === "config") {
    return { kind: "ok", value: openEncryption(parsed.entries, clock), warnings: [] };
  }
  return {
    kind: "invalid",
    problems: parsed.problems.map(({ line, path: where, message }) =>
      where === "" ? `${path}:${line}: ${message}` : `${path}:${line} ${where}: ${message}`,
    ),
  };
}
