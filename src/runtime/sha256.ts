import { hash } from "node:crypto";

/**
 * The first `hexCharacters` (an even number) of the SHA-256 of `text`, in hex. Cut as bytes: a cut text would keep the whole
 * one in memory.
 */
export function sha256(text: string, hexCharacters: number): string {
  return hash("sha256", text, "buffer").toString("hex", 0, hexCharacters / 2);
}
