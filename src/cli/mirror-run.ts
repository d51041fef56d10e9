/** `svc-ferry mirror run`: the daemon beside an etcd. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig } from "../config/mirror-load.js";
import { mirrorSettingList } from "../config/mirror-settings.js";
import { configured, withOptions, type MirrorCli } from "./mirror-command.js";

export function mirrorRunCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("run").description(
    "mirror what the rules name, until told to stop (the default command)",
  );
  return withOptions(command, mirrorSettingList()).action(async (flags: Flags) =>
    exit(
      await configured(terminal, flags, loadMirrorConfig, async (config, warnings) => {
        const mirror = await open();
        return mirror.run(config, warnings);
      }),
    ),
  );
}
