import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { service } from "../../harness/manifests.js";
import { SteadyLoad } from "../../harness/steady-load.js";
import { waitFor } from "../../harness/wait-for.js";

/** For how long API servers go on asking: longer than a replica goes on when nobody asks. */
const SLOW_TO_HEAR_MS = 4_000;

let bed: AdmissionBed;

beforeAll(async () => {
  bed = await openAdmissionBed();
});
afterAll(async () => bed.close());
afterEach(async () => bed.stopRuns());

it("a replica that stops under load drops no call of the API server, although that goes on asking it for a while", async () => {
  const { namespace } = bed.src;
  const staying = await bed.run();
  const leaving = await bed.launch();
  await bed.route(staying, leaving);
  // To this one alone, so that each call comes over a new connection to it.
  await bed.route(leaving);
  await bed.install("Fail");
  const refused: unknown[] = [];
  const load = new SteadyLoad(
    async (number) => {
      const path = `/api/v1/namespaces/${namespace}/services?dryRun=All`;
      const answer = await bed.source.request("POST", path, service(namespace, `busy-${number}`));
      if (answer.status !== 201) refused.push(answer.body);
    },
    { perSecond: 50, atOnce: 1 },
  );
  load.start();

  const ended = leaving.stop();
  await leaving.untilLogged("webhook draining");
  const readyWhileDraining = await leaving.get("/ready/webhook");
  const [before, sinceMs] = [load.sent, performance.now()];
  await waitFor(() => load.sent > before + 20 && performance.now() - sinceMs > SLOW_TO_HEAR_MS, {
    what: "calls while it drains",
  });
  // Only now the API server's side hears that it is gone.
  await bed.turnTo(staying);
  const exitCode = await ended;
  const after = load.sent;
  await waitFor(() => load.sent > after + 20, { what: "calls after its end" });
  await load.stop();

  expect(refused).toEqual([]);
  expect(readyWhileDraining.status).toBe(503);
  expect(exitCode).toBe(0);
});

it("a leader that stops tells the next one who deleted what in its last moments", async () => {
  const { namespace } = bed.src;
  await bed.install("Fail");
  const leaving = await bed.run();
  const next = await bed.launch();
  await bed.route(leaving);
  await bed.source.create(service(namespace, "last"));
  await bed.dst.untilService("last");

  const ended = leaving.stop();
  await leaving.untilLogged("webhook draining");
  await bed.as("carol").remove("Service", namespace, "last");
  await bed.dst.untilGone("Service", "last");
  const [removed] = await next.untilLogged("removed");
  await ended;

  expect(removed).toMatchObject({ by: "carol" });
});
