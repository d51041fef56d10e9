/**
 * A KMS plugin (v2) behind a unix socket, for the code under test and for a real API server. Its messages are made apart
 * from the code under test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type status,
} from "@grpc/grpc-js";

/** What a test turns and looks at. */
export interface KmsServer {
  readonly socket: string;
  /** Of the key that encrypts now. Keys before it still decrypt. */
  keyId: string;
  healthz: string;
  /** Every call fails with this while it is set. */
  failure: status | undefined;
  /** Nothing is answered while it is set. */
  silent: boolean;
  /** Calls that arrived, by method. */
  readonly calls: Record<"Status" | "Encrypt" | "Decrypt", number>;
  stop(): void;
}

export async function startKmsServer(): Promise<KmsServer> {
  const folder = mkdtempSync(join(tmpdir(), "svc-ferry-kms-"));
  const server = new Server();
  const kms: KmsServer = {
    socket: join(folder, "kms.sock"),
    keyId: "key-1",
    healthz: "ok",
    failure: undefined,
    silent: false,
    calls: { Status: 0, Encrypt: 0, Decrypt: 0 },
    stop() {
      server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const method = (name: keyof KmsServer["calls"], answer: (request: Buffer) => Buffer) => ({
    definition: definition(name),
    handler: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      kms.calls[name]++;
      if (kms.silent) return;
      if (kms.failure === undefined) reply(null, answer(call.request));
      else reply({ code: kms.failure, details: "as the test wants" });
    },
  });
  const methods = [
    method("Status", () =>
      Buffer.concat([text(1, "v2"), text(2, kms.healthz), text(3, kms.keyId)]),
    ),
    method("Encrypt", (request) =>
      Buffer.concat([text(1, masked(first(request))), text(2, kms.keyId), annotation(kms.keyId)]),
    ),
    method("Decrypt", (request) => text(1, masked(first(request)))),
  ];
  server.addService(
    Object.fromEntries(methods.map(({ definition: one }) => [one.originalName, one])),
    Object.fromEntries(methods.map(({ definition: one, handler }) => [one.originalName, handler])),
  );
  const bound = Promise.withResolvers<void>();
  server.bindAsync(`unix://${kms.socket}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) bound.resolve();
    else bound.reject(error);
  });
  await bound.promise;
  return kms;
}

function definition(originalName: string) {
  const asItIs = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/v2.KeyManagementService/${originalName}`,
    originalName,
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  } as const;
}

/** No cipher, but its own inverse, and nothing like what it came from. */
function masked(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xa5));
}

/** The content of field 1, which both requests begin with; below 128 bytes. */
function first(message: Buffer): Buffer {
  return message.subarray(2, 2 + (message[1] ?? 0));
}

function text(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

function annotation(value: string): Buffer {
  return text(3, Buffer.concat([text(1, "local-kek.kms.example.com"), text(2, value)]));
}
