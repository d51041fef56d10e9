/** Makes commander's options of a settings table. */
import { Option } from "commander";
import { VARIABLE_PREFIX, variableName, type Setting } from "../config/setting.js";
import { settingList } from "../config/settings.js";

/**
 * `--config` and one option for each of these settings. None has a default here: precedence is the configuration's business.
 */
export function settingOptions(
  settings: readonly Setting<unknown>[] = settingList(),
): readonly Option[] {
  const config = new Option(
    "--config <path>",
    `YAML file with settings, destinations and routes (env: ${variableName("config")})`,
  );
  return [config, ...optionsOf(settings, VARIABLE_PREFIX)];
}

/** One option for each of these settings, and a hidden one for each older name. @param prefix of the variables */
export function optionsOf(
  settings: readonly Setting<unknown>[],
  prefix: string,
): readonly Option[] {
  return settings.flatMap((setting) => {
    const option = new Option(`--${setting.name} ${valueOf(setting)}`, helpOf(setting, prefix));
    if (setting.olderName === undefined) return [option];
    return [option, new Option(`--${setting.olderName} ${valueOf(setting)}`).hideHelp()];
  });
}

function valueOf({ type }: Setting<unknown>): string {
  return type.bare === undefined ? `<${type.placeholder}>` : `[${type.placeholder}]`;
}

function helpOf({ name, help, ...rest }: Setting<unknown>, prefix: string): string {
  const foreign = rest.fallbackVariable === undefined ? undefined : `$${rest.fallbackVariable}`;
  const fallback = rest.fallbackText ?? foreign;
  const notes = [
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    `env: ${variableName(name, prefix)}`,
  ];
  return `${help} (${notes.join("; ")})`;
}
