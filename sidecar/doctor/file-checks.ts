/** Files that a mirror goes by: read once, whichever checks need them. */
import { fail, ok, warn, type Check } from "../../src/doctor/check.js";
import type { Reading } from "../files/watched-file.js";

/** @param said of a file that is valid */
export function fileCheck<T>(
  head: Pick<Check, "id" | "section" | "subject">,
  read: () => Promise<Reading<T>>,
  said: (value: T) => string,
): Check {
  return {
    ...head,
    pre: true,
    needs: [],
    run: async () => {
      const reading = await read();
      if (reading.kind === "invalid") {
        const text =
          "correct what the file says; docs/mirror.md and docs/mirror-rules.md have examples";
        return fail(reading.problems.join("; "), { text });
      }
      const { value, warnings } = reading;
      return warnings.length === 0
        ? ok(said(value))
        : warn(warnings.join("; "), { text: "see docs/mirror-rules.md" });
    },
  };
}
