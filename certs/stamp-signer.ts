import {
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import type { Signer } from "../src/domain/stamp.js";
import type { StampKeys } from "./holding.js";

/** A key, and what a signature begins with that was made with it. */
interface StampKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** Signs stamps with the current key, and knows those of the key before: eight digits of the key's id, HMAC-SHA-256, all hex. */
export class StampSigner implements Signer {
  readonly #current: StampKey;
  readonly #previous: StampKey | undefined;

  constructor({ current, previous }: StampKeys) {
    this.#current = stampKey(current);
    this.#previous = previous === undefined ? undefined : stampKey(previous);
  }

  sign(text: string): string {
    const { id, secret } = this.#current;
    return `${id}${createHmac("sha256", secret).update(text).digest("hex")}`;
  }

  fits(text: string, signature: string): boolean {
    const key = this.#of(signature);
    if (key === undefined) return false;
    const given = Buffer.from(signature.slice(ID_CHARS), "hex");
    const right = mac(key.secret, text);
    return given.length === right.length && timingSafeEqual(given, right);
  }

  knows(signature: string): boolean {
    return this.#of(signature) !== undefined;
  }

  #of(signature: string): StampKey | undefined {
    const id = keyIdOf(signature);
    return [this.#current, this.#previous].find((key) => key?.id === id);
  }
}

const ID_CHARS = 8;

/** Which key made it, as far as it says. */
export function keyIdOf(signature: string): string {
  return signature.slice(0, ID_CHARS);
}

/** @param key base64 */
function stampKey(key: string): StampKey {
  const bytes = Buffer.from(key, "base64");
  const id = createHash("sha256").update(bytes).digest("hex").slice(0, ID_CHARS);
  return { id, secret: createSecretKey(bytes) };
}

function mac(key: KeyObject, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
