import type { InjectionToken } from "tsyringe";

/** What a replica shows and trusts in the hand-off, as server and as client. All PEM. */
export interface HandOffIdentity {
  readonly cert: string;
  readonly key: string;
  /** Every CA whose certificates count. */
  readonly ca: string;
  /** The one name that the other side's certificate must have. */
  readonly name: string;
}

/** The identity of the moment; new connections take it, those that are open keep theirs. */
export interface HandOffIdentities {
  /** undefined: there is none yet. */
  current(): HandOffIdentity | undefined;
  /** Calls `listener` with each later one, in the tick in which `current` changes. The answer ends that. */
  onChange(listener: (identity: HandOffIdentity) => void): () => void;
}
export const HandOffIdentities: InjectionToken<HandOffIdentities> = Symbol("HandOffIdentities");
