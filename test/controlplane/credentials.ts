import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type SelfSigned, selfSigned } from "./self-signed.js";
import { AUDIT_POLICY, type Files } from "./server-flags.js";

/** Who may talk to a control plane, and what it proves itself with. */
export interface Credentials {
  /** Bearer token of `admin`, a member of `system:masters`. */
  readonly adminToken: string;
  /** Bearer token of the user that the built-in role of the controller manager is bound to. */
  readonly controllerManagerToken: string;
  readonly serving: SelfSigned;
}

/** Makes new credentials and writes every file that the servers read, kubeconfigs excepted: these need the port. */
export function makeCredentials(files: Files, name: string): Credentials {
  const adminToken = randomBytes(16).toString("hex");
  const controllerManagerToken = randomBytes(16).toString("hex");
  const serving = selfSigned(`svc-ferry-test-${name}`);
  const serviceAccounts = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tokens = [
    `${adminToken},admin,admin,"system:masters"`,
    `${controllerManagerToken},system:kube-controller-manager,controller-manager`,
  ];
  write(files.servingCert, serving.cert);
  write(files.servingKey, serving.key);
  write(
    files.serviceAccountKey,
    serviceAccounts.privateKey.export({ type: "sec1", format: "pem" }).toString(),
  );
  write(
    files.serviceAccountPublicKey,
    serviceAccounts.publicKey.export({ type: "spki", format: "pem" }).toString(),
  );
  write(files.tokens, `${tokens.join("\n")}\n`);
  write(files.auditPolicy, JSON.stringify(AUDIT_POLICY));
  return { adminToken, controllerManagerToken, serving };
}

function write(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}
