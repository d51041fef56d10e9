/** `svc-ferry mirror …`: from etcd to etcd, by rule. */
import { Command } from "commander";
import type { MirrorCli } from "./mirror-command.js";
import { mirrorDoctorCommand } from "./mirror-doctor.js";
import { mirrorDrainCommand } from "./mirror-drain.js";
import { mirrorLeaveCommand } from "./mirror-leave.js";
import { mirrorPlanCommand } from "./mirror-plan.js";
import { mirrorPromoteCommand } from "./mirror-promote.js";
import { mirrorReleaseBrakeCommand } from "./mirror-release-brake.js";
import { mirrorResumeCommand } from "./mirror-resume.js";
import { mirrorRunCommand } from "./mirror-run.js";
import { mirrorStatusCommand } from "./mirror-status.js";
import { mirrorVerifyCommand } from "./mirror-verify.js";
import type { Ask } from "./read-status.js";

/** By name alone, for the list of commands: its half a thousand options are made when they are asked for. */
export function mirrorEntry(): Command {
  return new Command("mirror").description(
    "mirror any objects by rule, straight from etcd to etcd",
  );
}

/** @param ask how `mirror status` asks a running mirror */
export function mirrorCommand(cli: MirrorCli, ask: Ask): Command {
  return mirrorEntry()
    .addCommand(mirrorRunCommand(cli), { isDefault: true })
    .addCommand(mirrorPlanCommand(cli))
    .addCommand(mirrorDoctorCommand(cli))
    .addCommand(mirrorVerifyCommand(cli))
    .addCommand(mirrorStatusCommand(cli, ask))
    .addCommand(mirrorDrainCommand(cli))
    .addCommand(mirrorPromoteCommand(cli))
    .addCommand(mirrorResumeCommand(cli))
    .addCommand(mirrorLeaveCommand(cli))
    .addCommand(mirrorReleaseBrakeCommand(cli));
}
