import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from "vitest";
import { type RotationSettings, whyNotRotatable } from "../../certs/rotation-settings.js";
import { service } from "../harness/manifests.js";
import { portsOf } from "../harness/namespace-view.js";
import { SteadyLoad } from "../harness/steady-load.js";
import { waitFor } from "../harness/wait-for.js";
import { FULL } from "./bed.js";
import { type OwnBed, startOwnBed } from "./own-bed.js";
import { RotationStage } from "./rotation-stage.js";

const SECOND = 1_000;
const PER_SECOND = 50;

interface Form {
  readonly rotation: RotationSettings;
  readonly lateMs: number;
  readonly seconds: number;
  readonly blankEverySeconds: number;
  /** At least so many leaves are taken by each replica, and so many CAs begin to sign. */
  readonly leaves: number;
  readonly cas: number;
}

/** A leaf every 10 s and a CA every 30 s. */
const LONG: Form = {
  rotation: {
    overlapMs: 24 * SECOND,
    leafRenewBeforeMs: 40 * SECOND,
    leafValidityMs: 50 * SECOND,
    caRenewBeforeMs: 60 * SECOND,
    caValidityMs: 90 * SECOND,
  },
  lateMs: 20 * SECOND,
  seconds: 180,
  blankEverySeconds: 15,
  leaves: 15,
  cas: 4,
};
/** A leaf every 3 s and a CA every 9 s. */
const SHORT: Form = {
  rotation: {
    overlapMs: 5 * SECOND,
    leafRenewBeforeMs: 9 * SECOND,
    leafValidityMs: 12 * SECOND,
    caRenewBeforeMs: 15 * SECOND,
    caValidityMs: 24 * SECOND,
  },
  lateMs: 3.5 * SECOND,
  seconds: 25,
  blankEverySeconds: 4,
  leaves: 5,
  cas: 2,
};
const FORM = FULL ? LONG : SHORT;
/** So many that two changes never meet: a conflict would run admission again. */
const SERVICES = 100;
const CHANGES = FORM.seconds * PER_SECOND;
const BLANK_EVERY = FORM.blankEverySeconds * PER_SECOND;
/** By each replica. */
const NONE = [0, 0, 0];

let bed: OwnBed;

beforeAll(async () => {
  bed = await startOwnBed();
});
afterEach(async () => bed.tidy());
afterAll(async () => bed.stop());

/** A change that matters each time; what the API server does not take is kept in `refused`. */
function changes(namespace: string, refused: unknown[]): SteadyLoad {
  const change = async (number: number): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/services/web-${number % SERVICES}`;
    const patch = { spec: { ports: [{ port: 1_000 + number }] } };
    const type = "application/merge-patch+json";
    const { status, body } = await bed.from.request("PATCH", path, patch, type);
    if (status !== 200) refused.push({ number, status, body });
  };
  return new SteadyLoad(change, { perSecond: PER_SECOND, atOnce: 10 });
}

/** By each replica in turn, who fails is kept in `strange`. */
function handshakes(stage: RotationStage, strange: string[]): SteadyLoad {
  const look = async (number: number): Promise<void> => {
    const { replicas } = stage;
    const replica = replicas[number % replicas.length];
    const found = replica && (await stage.refusal(replica));
    if (found !== undefined) strange.push(found);
  };
  return new SteadyLoad(look, { perSecond: 12, atOnce: 3 });
}

async function isRotated(stage: RotationStage): Promise<boolean> {
  const [leaves, signed] = await Promise.all([
    stage.metrics("svc_ferry_certificates_taken_total", { kind: "serving" }),
    stage.metrics("svc_ferry_certificate_rotations_total", { step: "sign" }),
  ]);
  return Math.min(...leaves) >= FORM.leaves && Math.max(...signed) >= FORM.cas;
}

it(
  "no call of the API server fails while leaves and CAs are exchanged all the time, one replica hears of it late and caBundle " +
    "is taken away again and again",
  async () => {
    expect(whyNotRotatable(FORM.rotation)).toBeUndefined();
    const stage = await RotationStage.open(bed, FORM.rotation, FORM.lateMs);
    const { namespace } = stage;
    for (let number = 0; number < SERVICES; number += 1) {
      await bed.from.create(service(namespace, `web-${number}`));
    }
    const refused: unknown[] = [];
    const load = changes(namespace, refused);
    const strange: string[] = [];
    const newcomers = handshakes(stage, strange);
    onTestFinished(async () => {
      await Promise.all([load.stop(), newcomers.stop()]);
      await stage.close();
    });
    const before = { failed: await stage.failedCalls(), answered: await stage.answeredCalls() };
    load.start();
    newcomers.start();

    let whileBlank = 0;
    for (let due = 0; load.sent < CHANGES || !(await isRotated(stage)); due += BLANK_EVERY) {
      await waitFor(() => load.sent >= due, { what: `${due} changes`, timeoutMs: 60_000 });
      await load.hold(); // what nobody can answer is not asked
      const failed = await stage.failedCalls();
      await stage.blank();
      whileBlank += (await stage.failedCalls()) - failed;
      load.resume();
    }
    await Promise.all([load.stop(), newcomers.stop()]);

    const answered = (await stage.answeredCalls()) - before.answered;
    const failed = (await stage.failedCalls()) - before.failed - whileBlank;
    const [reviews, unstamped, lostBatches] = await Promise.all([
      stage.metrics("svc_ferry_admission_reviews_total", { path: "validate", outcome: "allowed" }),
      stage.metrics("svc_ferry_changes_not_admitted_total"),
      stage.metrics("svc_ferry_hand_off_total", { outcome: "failed" }),
    ]);
    expect({ failed, refused, strange }).toEqual({ failed: 0, refused: [], strange: [] });
    expect(answered).toBeGreaterThanOrEqual(2 * load.sent);
    expect(Math.min(...reviews)).toBeGreaterThan(load.sent / 10);
    expect({ unstamped, lostBatches }).toEqual({ unstamped: NONE, lostBatches: NONE });
    await waitFor(async () => isMirrored(namespace), { what: "the mirrors of the last changes" });
  },
  FULL ? 600_000 : 180_000,
);

async function isMirrored(namespace: string): Promise<boolean> {
  const [from, to] = await Promise.all(
    [bed.from, bed.to].map(async (cluster) => cluster.list("Service", namespace)),
  );
  const spelled = (list: typeof from): readonly string[] | undefined =>
    list?.map((one) => `${one.metadata.name} ${portsOf(one).join()}`).sort();
  return JSON.stringify(spelled(from)) === JSON.stringify(spelled(to));
}
