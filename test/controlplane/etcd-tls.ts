import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authority, type Issued } from "../../certs/authority.js";
import { lifetime } from "../../certs/lifetime.js";

/** Certificate files of one etcd server and its clients, all of one CA. */
export interface EtcdTls {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  /** The client's. */
  readonly cert: string;
  readonly key: string;
  /** Puts a new client certificate of the same CA in the place of the old one, each file at once, as cert-manager does. */
  renewClient(validityMs?: number): void;
  /** Puts a CA that the server does not know, and a client certificate of it, in the place of the client's. */
  spoilClient(): void;
}

const DAY_MS = 86_400_000;

/** Makes a CA, a server certificate for loopback and a client certificate, in `folder`. */
export function makeEtcdTls(folder: string): EtcdTls {
  mkdirSync(folder, { recursive: true });
  const at = (file: string): string => join(folder, file);
  const ca = authority.ca(lifetime(Date.now(), DAY_MS));
  const server = leaf(ca, "etcd", ["server", "client"]);
  replace(at("ca.crt"), ca.certificate.pem);
  replace(at("server.crt"), server.certificate.pem);
  replace(at("server.key"), server.key);
  const writeClient = ({ certificate, key }: Issued): void => {
    replace(at("client.crt"), certificate.pem);
    replace(at("client.key"), key);
  };
  writeClient(leaf(ca, "svc-ferry", ["client"]));
  return {
    ca: at("ca.crt"),
    serverCert: at("server.crt"),
    serverKey: at("server.key"),
    cert: at("client.crt"),
    key: at("client.key"),
    renewClient: (validityMs) => writeClient(leaf(ca, "svc-ferry", ["client"], validityMs)),
    spoilClient: () => {
      const stranger = authority.ca(lifetime(Date.now(), DAY_MS));
      writeClient(leaf(stranger, "svc-ferry", ["client"]));
    },
  };
}

function leaf(
  ca: Issued,
  commonName: string,
  usages: readonly ("server" | "client")[],
  validityMs = DAY_MS,
): Issued {
  const names = ["localhost", "127.0.0.1", "::1"];
  return authority.leaf(
    { commonName, names, usages, lifetime: lifetime(Date.now(), validityMs) },
    ca,
  );
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
