import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate for servers on loopback, and its key, as PEM. It is its own CA: clients trust `cert` itself. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes an ECDSA P-256 certificate for 127.0.0.1, ::1, localhost and `kubernetes.default.svc`, valid from 2020 to 2049.
 *
 * Written out in DER because node can sign but not build certificates, and the test bed wants no openssl on the machine.
 * @param commonName subject and issuer, plain ASCII
 */
export function selfSigned(commonName: string): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(ECDSA_WITH_SHA256);
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number, positive
    algorithm,
    name,
    sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z"))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))), alternateNames()),
    ),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", body, privateKey)]));
  return {
    cert: pem("CERTIFICATE", sequence(body, algorithm, signature)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex");
const COMMON_NAME = Buffer.from("0603550403", "hex");
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
const TRUE = Buffer.from("0101ff", "hex");

function alternateNames(): Buffer {
  const names = ["localhost", "kubernetes.default.svc"].map((name) => der(0x82, Buffer.from(name)));
  const v4 = der(0x87, Buffer.from([127, 0, 0, 1]));
  const v6 = der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]));
  return sequence(SUBJECT_ALT_NAME, octets(sequence(...names, v4, v6)));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

/** Tag, length (short form below 128 bytes, else one or two bytes), content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
