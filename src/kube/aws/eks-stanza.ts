/**
 * Recognises what `aws eks update-kubeconfig` writes, and the older form with aws-iam-authenticator, so that it works
 * unchanged where neither program exists. A stanza with anything else in it is left to the program that it names.
 */
import type { Environment } from "../environment.js";
import type { ExecConfig } from "../exec-plugin.js";
import { isRegion } from "./sts-host.js";

/** What such a stanza asks for. */
export interface EksStanza {
  /** The name, or the id of a local cluster on Outposts: what the token is made out to. */
  readonly cluster: string;
  /** undefined: as the surroundings say. */
  readonly region: string | undefined;
  readonly roleArn: string | undefined;
  readonly externalId: string | undefined;
  readonly sessionName: string | undefined;
  readonly profile: string | undefined;
  /** Wins over the process's own. */
  readonly env: Environment;
}

type Field = Exclude<keyof EksStanza, "env"> | "ignored" | "flag";

const AWS_OPTIONS: Readonly<Record<string, Field>> = {
  "--cluster-name": "cluster",
  "--cluster-id": "cluster",
  "--region": "region",
  "--role-arn": "roleArn",
  "--profile": "profile",
  "--output": "ignored",
  "--color": "ignored",
  "--cli-read-timeout": "ignored",
  "--cli-connect-timeout": "ignored",
  "--no-cli-pager": "flag",
  "--no-cli-auto-prompt": "flag",
};

const AUTHENTICATOR_OPTIONS: Readonly<Record<string, Field>> = {
  "-i": "cluster",
  "--cluster-id": "cluster",
  "-r": "roleArn",
  "--role": "roleArn",
  "-s": "sessionName",
  "--session-name": "sessionName",
  "--external-id": "externalId",
  "--region": "region",
  "--cache": "flag",
};

/** undefined: not one that can be answered in-process. */
export function eksStanza({ command, args, env }: ExecConfig): EksStanza | undefined {
  const program = command
    .split(/[/\\]/)
    .at(-1)
    ?.replace(/\.exe$/, "");
  if (program === "aws") return parsed(args, AWS_OPTIONS, ["eks", "get-token"], env);
  if (program === "aws-iam-authenticator" || program === "heptio-authenticator-aws") {
    return parsed(args, AUTHENTICATOR_OPTIONS, ["token"], env);
  }
  return undefined;
}

/** As the name of its API server's host says it: `https://ID.gr7.eu-west-1.eks.amazonaws.com`. */
export function regionOfServer(server: string): string | undefined {
  const host = URL.canParse(server) ? new URL(server).hostname : "";
  const [, region] = /\.([a-z0-9-]+)\.eks\.[a-z0-9.-]+$/.exec(host) ?? [];
  return region !== undefined && isRegion(region) ? region : undefined;
}

function parsed(
  args: readonly string[],
  options: Readonly<Record<string, Field>>,
  words: readonly string[],
  env: Environment,
): EksStanza | undefined {
  const found: Partial<Record<Field, string>> = {};
  const plain: string[] = [];
  const rest = args.flatMap((arg) => splitOption(arg));
  while (rest.length > 0) {
    const arg = rest.shift() ?? "";
    const field = options[arg];
    if (field === undefined && arg.startsWith("-")) return undefined;
    if (field === undefined) plain.push(arg);
    else if (field !== "flag") found[field] = rest.shift() ?? "";
  }
  const { cluster = "", region, roleArn, externalId, sessionName, profile } = found;
  if (cluster === "" || plain.join(" ") !== words.join(" ")) return undefined;
  return { cluster, region, roleArn, externalId, sessionName, profile, env };
}

/** `--region=x` is `--region x`. */
function splitOption(arg: string): readonly string[] {
  const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return equals === -1 ? [arg] : [arg.slice(0, equals), arg.slice(equals + 1)];
}
