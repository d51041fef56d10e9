/** Reads what `/status` answered. A newer replica may say more, in more words; an older one less. */
import { z } from "zod";

const cluster = {
  name: z.string(),
  connected: z.boolean(),
  lastContact: z.string().optional(),
};

const service = z.looseObject({
  service: z.string(),
  destination: z.string(),
  target: z.string(),
  state: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  endpoints: z.object({ ready: z.number(), total: z.number(), slices: z.number() }).optional(),
  lastChange: z.string().optional(),
  lastWrite: z.string().optional(),
  lagMs: z.number().optional(),
  changeId: z.string().optional(),
});

/** Unknown fields pass through, so that `-o json` loses nothing. */
export const statusSchema = z.looseObject({
  kind: z.literal("StatusReport"),
  time: z.string(),
  podName: z.string(),
  role: z.string(),
  leader: z.string().optional(),
  observed: z.boolean(),
  source: z.looseObject(cluster),
  destinations: z.array(
    z.looseObject({
      ...cluster,
      paused: z.boolean(),
      heartbeat: z.string(),
      heartbeatHolder: z.string().optional(),
      heartbeatCause: z.string().optional(),
      brake: z.boolean(),
      queued: z.number().optional(),
    }),
  ),
  services: z.array(service),
});

export type ReadStatus = z.output<typeof statusSchema>;
export type ReadService = ReadStatus["services"][number];
export type ReadDestination = ReadStatus["destinations"][number];
