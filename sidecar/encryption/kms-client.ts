/** A KMS plugin behind its unix socket. */
import { randomUUID } from "node:crypto";
import { Client, credentials, type ServiceError, status as Code } from "@grpc/grpc-js";
import type { Clock } from "../../src/ports/clock.js";
import { Malformed } from "../wire/protobuf.js";
import {
  readDecryptResponse,
  readEncryptResponse,
  readStatus,
  writeDecryptRequest,
  writeEncryptRequest,
} from "./kms-messages.js";
import type { KmsPlugin, KmsRequest, KmsSealed, KmsStatus } from "./kms-plugin.js";
import { DoesNotOpen } from "./opener.js";
import { EncryptionUnavailable } from "./transformer.js";

export interface KmsClientOptions {
  /** The provider's name in the configuration, for messages. */
  readonly name: string;
  readonly socket: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Both are the same protocol. */
const VERSIONS: readonly string[] = ["v2", "v2beta1"];

/**
 * What a plugin answers when it will never open this. Anything else, UNKNOWN and INTERNAL too, may as well be its own KMS that is
 * out of reach, so another attempt is worth it.
 */
const REFUSALS: readonly Code[] = [
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.FAILED_PRECONDITION,
  Code.DATA_LOSS,
];

/** Connects with the first call, and again by itself when the plugin was restarted. */
export class KmsClient implements KmsPlugin {
  readonly #client: Client;
  #isClosed = false;

  constructor(private readonly options: KmsClientOptions) {
    // The socket's path is no host name, and some plugins refuse it as one.
    const settings = { "grpc.default_authority": "localhost" };
    this.#client = new Client(`unix://${options.socket}`, credentials.createInsecure(), settings);
  }

  async status(): Promise<KmsStatus> {
    const { version, healthz, keyId } = await this.#call("Status", Buffer.alloc(0), readStatus);
    if (!VERSIONS.includes(version)) throw this.#unavailable("speaks another version than v2");
    if (healthz !== "ok") throw this.#unavailable("says that it is not well");
    return { keyId };
  }

  async seal(plain: Buffer): Promise<KmsSealed> {
    return this.#call("Encrypt", writeEncryptRequest(plain, randomUUID()), readEncryptResponse);
  }

  async open(request: KmsRequest): Promise<Buffer> {
    return this.#call("Decrypt", writeDecryptRequest(request, randomUUID()), readDecryptResponse);
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  async #call<T>(method: string, request: Buffer, read: (answer: Buffer) => T): Promise<T> {
    const answer = await this.#answer(method, request);
    try {
      return read(answer);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw this.#unavailable(`answered ${method} with what must not be: ${error.message}`);
    }
  }

  async #answer(method: string, request: Buffer): Promise<Buffer> {
    // Closed when its file was exchanged: whoever was about to use it tries again, with what is in force then.
    if (this.#isClosed) throw this.#unavailable("is not used any more");
    const { clock, timeoutMs } = this.options;
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.#client.makeUnaryRequest<Buffer, Buffer>(
      `/v2.KeyManagementService/${method}`,
      (message) => message,
      (message) => message,
      request,
      { deadline: clock.now() + timeoutMs },
      (error, answer) => {
        if (error !== null) reject(this.#failure(method, error));
        else resolve(answer ?? Buffer.alloc(0));
      },
    );
    return promise;
  }

  /** Only the code: what a plugin writes into its messages is not known to be free of secrets. */
  #failure(method: string, { code }: ServiceError): Error {
    const said = `answered ${method} with ${Code[code]}`;
    if (method === "Decrypt" && REFUSALS.includes(code)) {
      return new DoesNotOpen(`the KMS plugin ${this.options.name} ${said}`);
    }
    return this.#unavailable(said);
  }

  #unavailable(what: string): EncryptionUnavailable {
    return new EncryptionUnavailable(`the KMS plugin ${this.options.name} ${what}`);
  }
}
