import manifest from "../package.json" with { type: "json" };

/** The version of the package, as `--version`, /status, metrics and the User-Agent tell it. */
export const VERSION: string = manifest.version;
