/** Who we are to AWS: the providers in the order of the SDKs, and the role to become on top. */
import { containerKeys } from "./container-keys.js";
import { environmentKeys } from "./environment-keys.js";
import { instanceKeys } from "./instance-keys.js";
import type { AwsKeys } from "./keys.js";
import { profileKeys } from "./profile-keys.js";
import { type AwsSurroundings, isAbsent, type Provider } from "./provider.js";
import type { Role } from "./sts.js";
import { webIdentityKeys } from "./web-identity.js";

export interface Identity {
  /** Asked for by name. As in the CLI, variables with keys do not count then. */
  readonly profile: string | undefined;
  readonly role: Role | undefined;
}

/**
 * @throws Error of the first provider that is set up and does not work, by its name; or, when none is set up, with each
 * one's reason
 */
export async function identityKeys(identity: Identity, around: AwsSurroundings): Promise<AwsKeys> {
  const keys = await firstKeys(providers(identity.profile), around);
  return identity.role === undefined ? keys : around.sts.assumeRole(identity.role, keys);
}

function providers(profile: string | undefined): readonly (readonly [string, Provider])[] {
  const shared = ["shared config files", profileKeys(profile)] as const;
  if (profile !== undefined) return [shared];
  return [
    ["environment", environmentKeys],
    shared,
    ["web identity (IRSA)", webIdentityKeys],
    ["container (Pod Identity)", containerKeys],
    ["instance metadata", instanceKeys],
  ];
}

async function firstKeys(
  chain: readonly (readonly [string, Provider])[],
  around: AwsSurroundings,
): Promise<AwsKeys> {
  const reasons: string[] = [];
  for (const [name, provider] of chain) {
    const found = await named(name, provider(around));
    if (!isAbsent(found)) return found;
    reasons.push(`${name}: ${found.absent}`);
  }
  throw new Error(`no AWS credentials. ${reasons.join("; ")}`);
}

async function named<T>(name: string, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    const why = error instanceof Error ? error.message : "it failed";
    throw new Error(`AWS credentials from ${name}: ${why}`, { cause: error });
  }
}
