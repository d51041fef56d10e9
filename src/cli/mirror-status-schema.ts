/** Reads what a mirror's `/status` answered. A newer one may say more, in more words; an older one less. */
import { z } from "zod";

const counts = z.record(z.string(), z.number());

/** Unknown fields pass through, so that `-o json` loses nothing. */
export const mirrorStatusSchema = z.looseObject({
  kind: z.literal("MirrorStatusReport"),
  time: z.string(),
  podName: z.string(),
  link: z.string(),
  mode: z.string(),
  waitingFor: z.array(z.string()),
  activity: z.string(),
  writes: z.string(),
  etcds: z
    .array(
      z.looseObject({ name: z.string(), connected: z.boolean(), trouble: z.string().optional() }),
    )
    .default([]),
  fence: z.looseObject({
    held: z.boolean(),
    holder: z.string().optional(),
    trouble: z.string().optional(),
  }),
  revisionRead: z.string().optional(),
  revisionApplied: z.string().optional(),
  lagRevisions: z.number(),
  lagSeconds: z.number(),
  apiLagSeconds: z.number().default(0),
  owned: z.number(),
  rules: z.array(z.looseObject({ label: z.string(), owned: z.number() })),
  debts: counts,
  refused: z.array(
    z.looseObject({
      path: z.string(),
      code: z.string(),
      detail: z.string().optional(),
      since: z.string(),
    }),
  ),
  pass: z
    .looseObject({
      cause: z.string(),
      read: z.number(),
      written: z.number(),
      bytes: z.number(),
      expected: z.number().optional(),
      startedAt: z.string(),
    })
    .optional(),
  destinationTooSlow: z.boolean(),
  rates: z.object({ sourcePerSecond: z.number(), destinationPerSecond: z.number() }).optional(),
  drift: counts,
  brake: z.looseObject({
    engaged: z.boolean(),
    causes: z.array(z.string()),
    held: z.number(),
  }),
  paused: z.looseObject({ why: z.string(), message: z.string(), since: z.string() }).optional(),
  rejectedFiles: z.array(
    z.looseObject({ path: z.string(), problems: z.array(z.string()), since: z.string() }),
  ),
  lastError: z.looseObject({ code: z.string(), message: z.string(), at: z.string() }).optional(),
});

export type ReadMirrorStatus = z.output<typeof mirrorStatusSchema>;
