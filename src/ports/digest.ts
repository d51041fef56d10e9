import type { InjectionToken } from "tsyringe";
import type { Digest as DigestFunction } from "../domain/slice.js";

/** SHA-256 as hex, cut: the domain's only need of cryptography, handed to it from outside. */
export type Digest = DigestFunction;
export const Digest: InjectionToken<Digest> = Symbol("Digest");
