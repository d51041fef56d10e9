/** Certificates from files, as gRPC credentials, and whether they have changed since. */
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { TlsFiles } from "./options.js";

export type ReadFile = (path: string) => Promise<Buffer>;

/** What the files held at one moment. */
export interface TlsContent {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** @throws the file system's error when one that is named is not there */
export async function readTls(files: TlsFiles, readFile: ReadFile): Promise<TlsContent> {
  const read = async (path: string | undefined): Promise<Buffer | undefined> =>
    path === undefined ? undefined : readFile(path);
  return { ca: await read(files.ca), cert: await read(files.cert), key: await read(files.key) };
}

export function sameTls(a: TlsContent, b: TlsContent): boolean {
  const same = (x: Buffer | undefined, y: Buffer | undefined): boolean =>
    x === undefined || y === undefined ? x === y : x.equals(y);
  return same(a.ca, b.ca) && same(a.cert, b.cert) && same(a.key, b.key);
}

/** @throws Error when certificate and key do not fit, as while they are being exchanged */
export function secureCredentials(content: TlsContent, skipVerify: boolean): ChannelCredentials {
  const { ca = null, cert = null, key = null } = content;
  return credentials.createSsl(ca, key, cert, { rejectUnauthorized: !skipVerify });
}
