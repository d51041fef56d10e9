import { parseArgs } from "node:util";
import { explainHowToPlay } from "./keep.js";
import { Replicas } from "./replicas.js";
import { screen } from "./screen.js";
import { buildStage, Cleanup, type Stage } from "./stage.js";
import { externalAndHeadless } from "./steps/external-and-headless.js";
import { followPods } from "./steps/follow-pods.js";
import { healDeleted, healEdited } from "./steps/heal.js";
import { labelAService } from "./steps/label-a-service.js";
import { mirrorByRule } from "./steps/mirror-by-rule.js";
import { nameTaken } from "./steps/name-taken.js";
import { readTheAudit } from "./steps/read-the-audit.js";
import { removeTheLabel } from "./steps/remove-the-label.js";
import type { Step } from "./steps/step.js";
import { takeOver } from "./steps/take-over.js";
import { whoDidWhat } from "./steps/who-did-what.js";

const STORY: readonly Step[] = [
  labelAService,
  whoDidWhat,
  followPods,
  externalAndHeadless,
  healDeleted,
  healEdited,
  nameTaken,
  takeOver,
  removeTheLabel,
  readTheAudit,
  mirrorByRule,
];

const INTERRUPTED = 130;

/**
 * svc-ferry's main job on two real control planes, told in steps. `--keep` leaves all of it running to play with.
 * Exit code: 0 all came true, 1 a step did not, 130 interrupted.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: "boolean", default: false } } });
  const interruption = new AbortController();
  const interrupted = untilInterrupted(interruption);
  const cleanup = new Cleanup();
  const replicas = new Replicas();
  try {
    const told = await Promise.race([tell(cleanup, replicas, interruption.signal), interrupted]);
    if (told === undefined) return INTERRUPTED;
    if (values.keep) {
      await explainHowToPlay(told);
      await interrupted;
    }
    return 0;
  } catch {
    for (const { name, lines } of replicas.tails(15)) {
      screen.heading(`The end of ${name}'s log`);
      screen.shown(lines.join("\n"));
    }
    return 1;
  } finally {
    screen.say();
    await cleanup.run();
    screen.say("stopped everything");
  }
}

async function tell(cleanup: Cleanup, replicas: Replicas, signal: AbortSignal): Promise<Stage> {
  const begin = performance.now();
  const stage = await timed(
    "Two clusters, and svc-ferry installed from manifests/",
    signal,
    async () => buildStage(cleanup, replicas),
  );
  for (const [index, { title, play }] of STORY.entries()) {
    await timed(`${index + 1}. ${title}`, signal, async () => play(stage));
  }
  const took = ((performance.now() - begin) / 1000).toFixed(1);
  screen.heading(`All ${STORY.length} steps came true in ${took} s.`);
  return stage;
}

/** Prints a heading, and below it in the end how it went; nothing more once the demo was interrupted. */
async function timed<T>(title: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  screen.heading(title);
  const begin = performance.now();
  try {
    const result = await work();
    screen.ok(performance.now() - begin);
    return result;
  } catch (error) {
    if (!signal.aborted) screen.failed(performance.now() - begin, error);
    throw error;
  }
}

async function untilInterrupted(interruption: AbortController): Promise<undefined> {
  return new Promise((resolve) => {
    const interrupt = (): void => {
      interruption.abort();
      resolve(undefined);
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  });
}

// NB: not exitCode: interrupted in the middle of a start, something may still be coming up. It dies with this process.
process.exit(await main());
