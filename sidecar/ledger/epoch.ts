/**
 * What objects are made with, in a few letters: `<history>.<hash>`. A record of another epoch says nothing about whether its
 * object is as it should be; one of another history says nothing about order either, because its revisions are another store's.
 */
import { createHash } from "node:crypto";
import { TRANSFORM_VERSION } from "../transform/transform.js";

export interface EpochParts {
  /** See LinkState.history. */
  readonly history: number;
  readonly rulesHash: string;
  readonly sourceEncryption: string;
  readonly destinationEncryption: string;
  readonly destinationPrefix: string;
}

/** 40 bits: two sets of rules of one installation do not share them. */
const HASH_CHARACTERS = 10;

export function epochOf(parts: EpochParts): string {
  const { history, rulesHash, sourceEncryption, destinationEncryption, destinationPrefix } = parts;
  const told = [
    TRANSFORM_VERSION,
    rulesHash,
    sourceEncryption,
    destinationEncryption,
    destinationPrefix,
  ];
  const hash = createHash("sha256").update(JSON.stringify(told)).digest("hex");
  return `${history}.${hash.slice(0, HASH_CHARACTERS)}`;
}

export function historyOf(epoch: string): string {
  return epoch.slice(0, epoch.indexOf("."));
}
