/** What a run would do, and why. */
import type {
  MirrorCannot,
  PlanAction,
  PlannedKey,
  PlanSummary,
} from "../../src/ports/mirror-answers.js";
import { KubePrefix } from "../link/keyspace.js";
import type { ChangeKind } from "../rehearsal/changes.js";
import { rehearse, type Rehearsal } from "../rehearsal/rehearse.js";
import { cannot } from "./cannot.js";

export type Planning = Omit<Rehearsal, "onChange">;

const REASONS: Readonly<Record<ChangeKind, string>> = {
  create: "not-there",
  update: "differs",
  adopt: "not-ours",
  delete: "not-wanted",
};

/** @throws what `rehearse` throws */
export async function plan(
  planning: Planning,
  show: (key: PlannedKey) => void,
  signal: AbortSignal,
): Promise<PlanSummary | MirrorCannot> {
  const { link, state } = planning;
  if (state?.phase === "sealed") {
    return cannot(`link ${link} is sealed: a run would write nothing`, "see `mirror resume`");
  }
  const prefix = new KubePrefix(planning.destinationPrefix);
  const counts = { create: 0, update: 0, delete: 0, adopt: 0, send: 0, refuse: 0 };
  const tell = (path: string, action: PlanAction, reason: string, detail?: string): void => {
    counts[action] += 1;
    show({ action, key: prefix.key(path), reason, detail });
  };
  const told = new Set<string>();
  const { debts, owned, sourceRevisions, destinationRevision } = await rehearse(
    {
      ...planning,
      onChange: ({ kind, path }) => {
        told.add(path);
        tell(path, kind, REASONS[kind]);
      },
    },
    signal,
  );
  const { create, update, adopt } = counts;
  const unchanged = Math.max(0, owned - create - update - adopt);
  for (const [path, { code, detail }] of debts) {
    // It goes a little later, which is not what people look for here.
    if (code === "rules-settling") tell(path, "delete", code, detail);
    else if (code === "via-api") tell(path, "send", code, detail);
    else if (!told.has(path)) tell(path, "refuse", code, detail);
  }
  return {
    kind: "planned",
    link,
    sourceRevisions: [sourceRevisions[0].toString(), sourceRevisions[1].toString()],
    destinationRevision: destinationRevision.toString(),
    appliedRevision: state?.applied?.toString(),
    counts,
    unchanged,
  };
}
