/** Where this machine has its Chromium: playwright-core brings none. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** Where macOS keeps what is on no PATH. */
const APPLICATIONS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

export const WHY_NO_CHROMIUM =
  "no Chromium on this machine: apt-get install chromium (or Google Chrome on the PATH)";

/** undefined: there is none. */
export function chromiumPath(path = process.env["PATH"] ?? ""): string | undefined {
  const named = path.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...named, ...APPLICATIONS].find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
