/**
 * `svc-ferry mirror doctor`: before a mirror starts, and while one runs, is everything as it has to be? Exit: 0 nothing failed, 1
 * something failed (with --strict: or is to be looked at), 2 could not run.
 */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig } from "../config/mirror-load.js";
import { mirrorSettingList } from "../config/mirror-settings.js";
import {
  CHECK_FLAGS,
  checkQuestion,
  toldFindings,
  withCheckOptions,
  type CheckFlags,
} from "./doctor-options.js";
import { configuredCommand, withOptions, type MirrorCli } from "./mirror-command.js";

export function mirrorDoctorCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("doctor").description(
    "check files, both etcds, rights, room and the link before a mirror starts (exit 0: nothing failed, 1: something did, 2: could not run)",
  );
  return withOptions(withCheckOptions(command), mirrorSettingList()).action(
    async (flags: CheckFlags) =>
      exit(
        await configuredCommand(terminal, settingsOf(flags), loadMirrorConfig, async (config) =>
          toldFindings(terminal, await (await open()).doctor(config, checkQuestion(flags)), flags),
        ),
      ),
  );
}

/** The flags that are settings, as `loadMirrorConfig` takes them. */
function settingsOf(flags: CheckFlags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !CHECK_FLAGS.includes(name)));
}
