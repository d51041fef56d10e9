/** What the process has made for it: the real etcds, keys of encryption and pipeline, or those of a test. */
import type { InjectionToken } from "tsyringe";
import type { EtcdAccess } from "../src/config/mirror-config.js";
import type { ApiWriter } from "./api/api-writer.js";
import type { Encryption } from "./encryption/transformer.js";
import type { Etcd } from "./etcd/etcd.js";
import type { Reading } from "./files/watched-file.js";
import type { LinkRunner, LinkRunnerParts } from "./link/link-runner.js";

/** The way to the destination's API server. */
export interface OpenApi {
  readonly writer: ApiWriter;
  close(): Promise<void>;
}

export interface MirrorParts {
  /** Connects to nobody yet. @throws Error when certificates or the password's file cannot be read */
  openEtcd(access: EtcdAccess): Promise<Etcd>;
  /** @param text undefined: the file is not there, and nobody named it */
  readEncryption(text: string | undefined, path: string): Reading<Encryption>;
  /** undefined: no kubeconfig is given. @throws TerminalError when it cannot be read */
  openApi(): Promise<OpenApi | undefined>;
  makeLink(parts: LinkRunnerParts): LinkRunner;
  /** @throws with the code ENOENT when it is not there */
  readFile(path: string): Promise<string>;
}
export const MirrorParts: InjectionToken<MirrorParts> = Symbol("MirrorParts");
