import { randomBytes } from "node:crypto";
import { authority } from "../../certs/authority.js";
import { lifetime } from "../../certs/lifetime.js";
import { parseSecret, type Secret } from "../../certs/secret-content.js";
import type { NamespaceView } from "./namespace-view.js";

const NAME = "svc-ferry-webhook-tls";
const HOUR = 3_600_000;

/** The Secret of an installation's certificates, and what people and tools do to it. */
export class CertificateSecret {
  constructor(private readonly view: NamespaceView) {}

  async read(): Promise<Secret | undefined> {
    return this.view.get("Secret", NAME) as Promise<Secret | undefined>;
  }

  /** A leaf of the same CA that ended an hour ago. */
  async end(): Promise<void> {
    const { signer, leaves } = parseSecret(await this.read());
    const names = leaves.serving?.certificate.names ?? [];
    if (signer === undefined) throw new Error("the Secret holds no CA that signs");
    const ended = lifetime(Date.now() - 3 * HOUR, 2 * HOUR);
    const leaf = authority.leaf(
      { commonName: "ended", names, usages: ["server"], lifetime: ended },
      signer,
    );
    await this.#write({ "tls.crt": leaf.certificate.pem, "tls.key": leaf.key });
  }

  async corrupt(): Promise<void> {
    await this.#write({ "tls.crt": "-----BEGIN CERTIFICATE-----\nnot one" });
  }

  /** The key of another certificate. */
  async mismatch(): Promise<void> {
    await this.#write({ "tls.key": authority.ca(lifetime(Date.now(), HOUR)).key });
  }

  /** As a rotation does it: stamps of the key before still count. */
  async exchangeStampKey(): Promise<void> {
    const { current } = parseSecret(await this.read()).stampKeys ?? {};
    if (current === undefined) throw new Error("the Secret holds no stamp key");
    const young = randomBytes(32).toString("base64");
    await this.#write({ "stamp.key": young, "previous-stamp.key": current });
  }

  async remove(): Promise<void> {
    await this.view.remove("Secret", NAME);
  }

  /** Of the type that cannot be changed, with a good certificate of somebody else's CA for somebody else's name. */
  async replaceByForeign(): Promise<void> {
    await this.remove();
    const valid = lifetime(Date.now(), 24 * HOUR);
    const ca = authority.ca(valid);
    const leaf = authority.leaf(
      { commonName: "theirs", names: ["shop.example.com"], usages: ["server"], lifetime: valid },
      ca,
    );
    await this.view.cluster.create({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: this.view.namespace, name: NAME },
      type: "kubernetes.io/tls",
      data: encoded({
        "ca.crt": ca.certificate.pem,
        "tls.crt": leaf.certificate.pem,
        "tls.key": leaf.key,
      }),
    });
  }

  /** As it was when it was read. */
  async putBack({ type, data, metadata: { labels } }: Secret): Promise<void> {
    if ((await this.read()) === undefined) {
      const metadata = { namespace: this.view.namespace, name: NAME, ...(labels && { labels }) };
      await this.view.cluster.create({ apiVersion: "v1", kind: "Secret", metadata, type, data });
    } else {
      await this.view.patch("Secret", NAME, { data });
    }
  }

  async #write(data: Readonly<Record<string, string>>): Promise<void> {
    await this.view.patch("Secret", NAME, { data: encoded(data) });
  }
}

function encoded(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
}
