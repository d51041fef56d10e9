/** Keys as a profile of the shared files describes them. */
import { containerKeys } from "./container-keys.js";
import { environmentKeys } from "./environment-keys.js";
import { instanceKeys } from "./instance-keys.js";
import type { AwsKeys } from "./keys.js";
import { type Absent, type AwsSurroundings, isAbsent, type Provider } from "./provider.js";
import { type Profile, type Profiles, readProfiles } from "./shared-files.js";
import { keysForToken } from "./web-identity.js";

/** Ways to have keys that need a person, a browser or a program of the profile's. */
const UNSUPPORTED = [
  "mfa_serial",
  "sso_session",
  "sso_start_url",
  "credential_process",
  "login_session",
];

/** Values of `credential_source`. */
const SOURCES: Readonly<Record<string, Provider>> = {
  Environment: environmentKeys,
  EcsContainer: containerKeys,
  Ec2InstanceMetadata: instanceKeys,
};

/**
 * @param profile that was asked for by name; undefined: $AWS_PROFILE, else "default", which need not exist
 */
export function profileKeys(profile: string | undefined): Provider {
  return async (around) => {
    const name = profile ?? (around.env["AWS_PROFILE"] || undefined);
    const profiles = await readProfiles(around.env);
    if (name !== undefined && !profiles.has(name)) {
      throw new Error(`there is no profile "${name}" in the shared config and credentials files`);
    }
    return new ProfileReader(profiles, around).keys(name ?? "default", []);
  };
}

class ProfileReader {
  constructor(
    private readonly profiles: Profiles,
    private readonly around: AwsSurroundings,
  ) {}

  /** @param above profiles whose source this one is */
  async keys(name: string, above: readonly string[]): Promise<AwsKeys | Absent> {
    const profile = this.profiles.get(name);
    if (profile === undefined) return { absent: `there is no profile "${name}"` };
    const obstacle = UNSUPPORTED.find((key) => profile[key] !== undefined);
    if (obstacle !== undefined) {
      throw new Error(
        `profile "${name}" uses ${obstacle}, which svc-ferry cannot answer in-process`,
      );
    }
    // A profile may be its own source: its role with its static keys.
    if (profile["role_arn"] !== undefined && above.at(-1) !== name) {
      return this.#role(profile["role_arn"], name, profile, above);
    }
    return staticKeys(name, profile);
  }

  async #role(
    arn: string,
    name: string,
    profile: Profile,
    above: readonly string[],
  ): Promise<AwsKeys> {
    const file = profile["web_identity_token_file"];
    if (file !== undefined) return keysForToken(this.around, { arn, file });
    const base = await this.#base(name, profile, above);
    if (isAbsent(base)) throw new Error(`profile "${name}": ${base.absent}`);
    const sessionName = profile["role_session_name"] ?? "svc-ferry";
    const { external_id: externalId, duration_seconds: durationSeconds } = profile;
    return this.around.sts.assumeRole({ arn, sessionName, externalId, durationSeconds }, base);
  }

  async #base(name: string, profile: Profile, above: readonly string[]) {
    const { source_profile: other, credential_source: source } = profile;
    if (other !== undefined) {
      if (above.includes(other)) throw new Error(`profile "${other}" is a source of itself`);
      if (!this.profiles.has(other)) {
        throw new Error(
          `profile "${name}" names the source_profile "${other}", which is not there`,
        );
      }
      return this.keys(other, [...above, name]);
    }
    const provider = SOURCES[source ?? ""];
    if (provider === undefined) {
      throw new Error(
        `profile "${name}" has a role_arn without a usable source (${source ?? "none"})`,
      );
    }
    return provider(this.around);
  }
}

function staticKeys(name: string, profile: Profile): AwsKeys | Absent {
  const {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    aws_session_token: sessionToken,
  } = profile;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    return { absent: `profile "${name}" holds no keys` };
  }
  return { accessKeyId, secretAccessKey, sessionToken, endsAtMs: undefined };
}
