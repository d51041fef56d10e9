/**
 * The providers with keys in the file. Layouts: apiserver pkg/storage/value/encrypt/aes and .../secretbox.
 * Every nonce is new and random: with the numbers of writes of a cluster two are never the same.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { DoesNotOpen } from "./opener.js";

/** What one key does with bytes. `open` throws DoesNotOpen. */
export interface Cipher {
  open(payload: Buffer, authenticated: Buffer): Buffer;
  seal(plain: Buffer, authenticated: Buffer): Buffer;
}

const AES_BLOCK = 16;
const GCM_NONCE = 12;
const GCM_TAG = 16;
const SECRETBOX_NONCE = 24;

/**
 * IV 16, then the ciphertext with PKCS#7 padding. NB: nothing authenticates it. A wrong key or a damaged value is noticed by
 * its padding only, which fits by chance once in 256; then it gives garbage that parsing refuses.
 */
export function aesCbc(key: Buffer): Cipher {
  const algorithm = `aes-${key.length * 8}-cbc`;
  return {
    open(payload) {
      return opening(() => {
        const decipher = createDecipheriv(algorithm, key, payload.subarray(0, AES_BLOCK));
        return Buffer.concat([decipher.update(payload.subarray(AES_BLOCK)), decipher.final()]);
      });
    },
    seal(plain) {
      const iv = randomBytes(AES_BLOCK);
      const cipher = createCipheriv(algorithm, key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
    },
  };
}

/** Nonce 12, the ciphertext, tag 16. The whole etcd key is authenticated: a value copied to another key does not open. */
export function aesGcm(key: Buffer): Cipher {
  const algorithm = gcmOf(key);
  return {
    open(payload, authenticated) {
      return opening(() => {
        if (payload.length < GCM_NONCE + GCM_TAG) throw new DoesNotOpen("it is too short");
        const nonce = payload.subarray(0, GCM_NONCE);
        const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: GCM_TAG });
        decipher.setAAD(authenticated).setAuthTag(payload.subarray(-GCM_TAG));
        const text = payload.subarray(GCM_NONCE, -GCM_TAG);
        return Buffer.concat([decipher.update(text), decipher.final()]);
      });
    },
    seal(plain, authenticated) {
      const nonce = randomBytes(GCM_NONCE);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: GCM_TAG });
      cipher.setAAD(authenticated);
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
  };
}

/** Nonce 24, then NaCl's secretbox: tag 16, XSalsa20 ciphertext. */
export function secretbox(key: Buffer): Cipher {
  return {
    open(payload) {
      return opening(() => {
        const box = xsalsa20poly1305(key, payload.subarray(0, SECRETBOX_NONCE));
        return asBuffer(box.decrypt(payload.subarray(SECRETBOX_NONCE)));
      });
    },
    seal(plain) {
      const nonce = randomBytes(SECRETBOX_NONCE);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)]);
    },
  };
}

function gcmOf(key: Buffer): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" {
  switch (key.length) {
    case 16:
      return "aes-128-gcm";
    case 24:
      return "aes-192-gcm";
    default:
      return "aes-256-gcm";
  }
}

/** What the libraries throw says nothing that helps, and might say too much. */
function opening(open: () => Buffer): Buffer {
  try {
    return open();
  } catch (error) {
    if (error instanceof DoesNotOpen) throw error;
    throw new DoesNotOpen("it is damaged, or another key wrote it");
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
