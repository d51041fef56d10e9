import { createHash } from "node:crypto";

/** The first `hexCharacters` of the SHA-256 of `text`, in hex. */
export function sha256(text: string, hexCharacters: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, hexCharacters);
}
