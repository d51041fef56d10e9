import { createHmac, timingSafeEqual } from "node:crypto";
import type { Signer } from "../src/domain/stamp.js";
import type { StampKeys } from "./holding.js";

/** Signs stamps with the current key, and knows those of the key before: HMAC-SHA-256, hex. */
export class StampSigner implements Signer {
  constructor(private readonly keys: StampKeys) {}

  sign(text: string): string {
    return mac(this.keys.current, text).toString("hex");
  }

  fits(text: string, signature: string): boolean {
    const given = Buffer.from(signature, "hex");
    return [this.keys.current, this.keys.previous].some((key) => {
      if (key === undefined) return false;
      const right = mac(key, text);
      return given.length === right.length && timingSafeEqual(given, right);
    });
  }
}

/** @param key base64 */
function mac(key: string, text: string): Buffer {
  return createHmac("sha256", Buffer.from(key, "base64")).update(text).digest();
}
