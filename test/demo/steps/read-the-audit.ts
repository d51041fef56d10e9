import { screen } from "../screen.js";
import type { Step } from "./step.js";

/** The lines about one Service say where from and where to, or what became of it in admission. */
const AUDIT = / \[[^\]]* → [^\]]*\] | (?:admitted|refused|queued) outcome=/;
const LEADERS = / became leader/;

export const readTheAudit: Step = {
  title: "What an auditor reads about all this, in the three logs together",

  async play({ replicas }) {
    const lines = replicas.log().filter((line) => AUDIT.test(line) || LEADERS.test(line));
    screen.shown(lines.join("\n"));
    for (const word of ["created", "removed", "name-occupied"]) {
      if (!lines.some((line) => line.includes(word))) throw new Error(`no line says ${word}`);
    }
  },
};
