/** Makes commander's options of the settings table. */
import { Option } from "commander";
import { settingList, variableName, type Setting } from "../config/settings.js";

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
  return [config, ...settings.map(settingOption)];
}

function settingOption({ name, type, help, ...rest }: Setting<unknown>): Option {
  const value = type.bare === undefined ? `<${type.placeholder}>` : `[${type.placeholder}]`;
  const foreign = rest.fallbackVariable === undefined ? undefined : `$${rest.fallbackVariable}`;
  const fallback = rest.fallbackText ?? foreign;
  const notes = [
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    `env: ${variableName(name)}`,
  ];
  return new Option(`--${name} ${value}`, `${help} (${notes.join("; ")})`);
}
