/** `~/.aws/config` and `~/.aws/credentials`. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../environment.js";
import { isRecord } from "../json.js";

export type Profile = Readonly<Record<string, string>>;

/** Profiles by name; of a setting that both files have, the credentials file's wins. */
export type Profiles = ReadonlyMap<string, Profile>;

/** A file that does not exist is empty. @throws Error that names a file that cannot be read */
export async function readProfiles(env: Environment): Promise<Profiles> {
  const dir = join(env["HOME"] || homedir(), ".aws");
  const config = sections(await readIfThere(env["AWS_CONFIG_FILE"] || join(dir, "config")));
  const path = env["AWS_SHARED_CREDENTIALS_FILE"] || join(dir, "credentials");
  const credentials = sections(await readIfThere(path));
  const profiles = new Map<string, Profile>();
  for (const [section, settings] of config) {
    const name = section.replace(/^profile\s+/, "");
    // Other kinds of sections, as `[sso-session x]`, hold no profile.
    if (name !== section || name === "default") profiles.set(unquoted(name), settings);
  }
  for (const [name, settings] of credentials) {
    profiles.set(name, { ...profiles.get(name), ...settings });
  }
  return profiles;
}

function sections(ini: string): Map<string, Profile> {
  const found = new Map<string, Profile>();
  let section = "";
  for (const line of ini.split(/\r?\n/)) {
    const [, header] = /^\[([^\]]+)\]/.exec(line) ?? [];
    if (header !== undefined) section = header.trim();
    // NB: an indented line belongs to a nested setting (`s3 =`), which has nothing for us.
    const [, key, value = ""] = /^([^\s#;[=]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (header !== undefined && !found.has(section)) found.set(section, {});
    if (key !== undefined) {
      const plain = value.replace(/\s[#;].*$/, "");
      found.set(section, { ...found.get(section), [key.toLowerCase()]: plain });
    }
  }
  return found;
}

function unquoted(name: string): string {
  return name.trim().replace(/^(["'])(.*)\1$/, "$2");
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isRecord(error) && error["code"] === "ENOENT") return "";
    throw error;
  }
}
