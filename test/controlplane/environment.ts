import { env } from "node:process";

/** This process's environment variables; the test bed reads them here only. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return env;
}
