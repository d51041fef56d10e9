import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FerryBed, openBed } from "../../harness/ferry-bed.js";
import type { FerryRun } from "../../harness/ferry-run.js";
import { service } from "../../harness/manifests.js";
import { waitFor } from "../../harness/wait-for.js";

let bed: FerryBed;
let ferry: FerryRun;

beforeAll(async () => {
  bed = await openBed();
  ferry = await bed.run();
});
afterAll(async () => bed.close());

/** Collects what the stream of the page sends, until it is told to stop. */
function follow(port: number, signal: AbortSignal): { readonly text: () => string } {
  let text = "";
  const read = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}/page.events`, { signal });
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  };
  void read().catch(() => {}); // ends with the abort
  return { text: () => text };
}

describe("the page of a leader", () => {
  it("shows a Service as soon as it is labelled, and what became of it", async () => {
    const [listening] = await ferry.untilLogged("admin server listening");
    const closing = new AbortController();
    const stream = follow(Number(listening?.["port"]), closing.signal);
    await waitFor(() => stream.text().includes("No Service is selected yet."), {
      what: "the page before anything is selected",
    });

    await bed.src.apply(service(bed.src.namespace, "web"));
    await waitFor(() => stream.text().includes("1 Service in sync."), { what: "it to be shown" });
    closing.abort();

    const { status, text } = await ferry.get("/");
    expect(status).toBe(200);
    expect(text).toContain(`${bed.src.namespace}/web`);
    expect(text).toContain("outcome=applied");
  });

  it("shows a conflict with its reason and the way out", async () => {
    await bed.dst.apply(service(bed.dst.namespace, "taken", { labels: {} }));
    await bed.src.apply(service(bed.src.namespace, "taken"));
    await ferry.untilState(`${bed.src.namespace}/taken`, "conflict");

    const { text } = await ferry.get("/?state=conflict");

    expect(text).toContain("name-occupied");
    expect(text).toContain("svc-ferry.io/target-name");
    expect(text).not.toContain(`${bed.src.namespace}/web<`);
  });
});
