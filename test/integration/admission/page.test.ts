/** The page of a replica that does not lead, over the real hand-off. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type AdmissionBed, openAdmissionBed } from "../../harness/admission-bed.js";
import { it } from "../../harness/browser-test.js";
import { service } from "../../harness/manifests.js";

let bed: AdmissionBed;

beforeAll(async () => {
  bed = await openAdmissionBed();
});
afterAll(async () => bed.close());

describe("the page of a follower", () => {
  it("shows what the leader shows, and its own view when it leads itself", async ({ tab }) => {
    const leader = await bed.run();
    const follower = await bed.launch();
    await bed.route(leader, follower);
    const { namespace } = bed.src;
    await tab.page.goto(await follower.url());
    await tab.page.getByText(`shown by ${follower.podName}, which follows`).waitFor();
    expect(await tab.text("#about")).toContain(`${leader.podName} leads`);

    await bed.src.apply(service(namespace, "web"));
    await tab.page.locator("#services").getByText(`${namespace}/web`).waitFor();
    await tab.page.locator("#audit").getByText("outcome=applied").first().waitFor();

    await leader.stop();
    await tab.page.locator("#about").getByText(`${follower.podName} leads`).waitFor();
    await bed.src.apply(service(namespace, "later"));
    await tab.page.locator("#services").getByText(`${namespace}/later`).waitFor();
    expect(await tab.text("#about")).not.toContain("shown by");
  });
});
