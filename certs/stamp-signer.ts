import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Signer } from "../src/domain/stamp.js";
import type { StampKeys } from "./holding.js";

/** Signs stamps with the current key, and knows those of the key before: HMAC-SHA-256, hex. */
export class StampSigner implements Signer {
  readonly #current: KeyObject;
  readonly #previous: KeyObject | undefined;

  constructor({ current, previous }: StampKeys) {
    this.#current = secret(current);
    this.#previous = previous === undefined ? undefined : secret(previous);
  }

  sign(text: string): string {
    return mac(this.#current, text).toString("hex");
  }

  fits(text: string, signature: string): boolean {
    const given = Buffer.from(signature, "hex");
    return [this.#current, this.#previous].some((key) => {
      if (key === undefined) return false;
      const right = mac(key, text);
      return given.length === right.length && timingSafeEqual(given, right);
    });
  }
}

/** @param key base64 */
function secret(key: string): KeyObject {
  return createSecretKey(Buffer.from(key, "base64"));
}

function mac(key: KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
