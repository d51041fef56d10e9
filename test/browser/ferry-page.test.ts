/** The core's page in a browser, about states that no cluster is needed for. With real clusters: core/page.test.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import type { ServiceStatus } from "../../src/ports/status.js";
import { ferryContent } from "../fixtures/ferry-content.js";
import { destinationStatus, serviceStatus, statusOfLeader } from "../fixtures/status-reports.js";
import { it, type Tab } from "../harness/browser-test.js";
import { faintTexts } from "../harness/contrast.js";
import { PageServer } from "../harness/page-server.js";
import { PageStream } from "../harness/page-stream.js";

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
/** As long as names can be, with no place to break. */
const LONGEST = "a".repeat(63);
const EVIL = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;

const WORST = [
  serviceStatus("cart", {
    state: "conflict",
    reason: "name-occupied",
    message: "prod/cart exists in the destination since 2026-03-02T09:00:00Z",
    lastChange: "2026-01-15T10:30:00.000Z",
  }),
  serviceStatus(LONGEST, {
    service: `${LONGEST}/${LONGEST}`,
    target: `${LONGEST}/${LONGEST}`,
    endpoints: { ready: 3, total: 3, slices: 1 },
    lagMs: 8,
  }),
  serviceStatus("evil", { state: "refused", reason: "unknown", message: EVIL }),
];

function many(count: number): ServiceStatus[] {
  return Array.from({ length: count }, (_, index) =>
    serviceStatus(`web-${index}`, {
      endpoints: { ready: 3, total: 3, slices: 1 },
      lastChange: "2026-01-15T10:28:45.000Z",
      lagMs: 8 + (index % 40),
    }),
  );
}

let services: readonly ServiceStatus[] = WORST;
const audit = [`applied service=shop/web target=eks-b/prod/web ${"changeId=".padEnd(90, "6c44")}`];
const destinations = [destinationStatus(), destinationStatus({ name: "eks-c", brake: true })];
const server = new PageServer(
  ferryContent(
    () => statusOfLeader({ services, destinations }),
    () => audit,
  ),
);
beforeAll(async () => server.start());
afterAll(async () => server.stop());
beforeEach(() => {
  services = WORST;
});

/** Shows it, until its stream is open. */
async function shown({ page }: Tab): Promise<void> {
  const stream = page.waitForResponse(/page\.events/);
  await page.goto(server.url);
  await stream;
}

describe("the page", () => {
  it("has a headline, what is not in order first, and every text of a stranger as text", async ({
    tab,
  }) => {
    await shown(tab);

    expect(await tab.text("h1")).toBe("2 of 3 Services are not in sync.");
    expect(await tab.page.locator("#services .state").allInnerTexts()).toEqual([
      "▲ conflict",
      "▲ refused",
      "● synced",
    ]);
    expect(await tab.text("#services tr:nth-child(2) .long")).toBe(`unknown: ${EVIL}`);
  });

  it.for(["light", "dark"] as const)("can be read in the %s", async (colorScheme, { tabOf }) => {
    const tab = await tabOf({ colorScheme });
    await shown(tab);

    expect(await faintTexts(tab.page)).toEqual([]);
  });

  it("looks otherwise in the dark", async ({ tabOf }) => {
    const tab = await tabOf({ colorScheme: "light" });
    await shown(tab);
    const paper = (): Promise<string> =>
      tab.page.evaluate("getComputedStyle(document.body).backgroundColor");

    const light = await paper();
    await tab.page.emulateMedia({ colorScheme: "dark" });

    expect(await paper()).not.toBe(light);
  });

  it.for([PHONE, { viewport: { width: 1280, height: 800 } }])(
    "never has to be scrolled sideways: $viewport.width pixels",
    async (size, { tabOf }) => {
      const tab = await tabOf(size);
      await shown(tab);

      expect(await tab.hiddenWidth()).toBe(0);
      expect(await tab.page.locator("#services .name").first().isVisible()).toBe(true);
    },
  );

  it("is complete, searchable and has pages without JavaScript", async ({ tabOf }) => {
    services = [...WORST, ...many(300)];
    const tab = await tabOf({ javaScriptEnabled: false });
    await tab.page.goto(server.url);

    expect(await tab.text("#services-count")).toBe("1–100 of 303");
    expect(await tab.text("#services tr:nth-child(2) .long")).toBe(`unknown: ${EVIL}`);
    await tab.page.getByRole("link", { name: "Next" }).click();
    expect(await tab.text("#position")).toBe("page 2 of 4");
    await tab.page.getByRole("searchbox").fill("occupied");
    await tab.page.getByRole("button").click();
    expect(await tab.page.locator("#services .name").allInnerTexts()).toEqual([
      "shop/cart",
      "eks-b prod/cart",
    ]);
    expect(await tab.page.locator("#live").isVisible()).toBe(false);
  });
});

describe("with 10,000 Services", () => {
  it("shows a hundred, and finds, turns and follows among all of them", async ({ tab }) => {
    services = many(10_000);
    await shown(tab);
    expect(await tab.page.locator("#services tr").count()).toBe(100);
    expect(await tab.text("#services-count")).toBe("1–100 of 10000");

    await tab.page.keyboard.press("End");
    await tab.page.locator("#services tr").nth(99).scrollIntoViewIfNeeded();
    services = [...services, serviceStatus("cart", { state: "conflict", reason: "name-occupied" })];
    await tab.page.getByText("▲ conflict").waitFor();
    expect(await tab.text("#services tr:first-child")).toContain("shop/cart");
    expect(await tab.text("h1")).toBe("1 of 10001 Services is not in sync.");

    await tab.page.getByRole("searchbox").fill("web-77");
    await tab.page.keyboard.press("Enter");
    await tab.page.getByText("1–100 of 111").waitFor();
    await tab.page.getByRole("link", { name: "Next" }).click();
    await tab.page.getByText("101–111 of 111").waitFor();
    await tab.page.getByRole("combobox").selectOption("conflict");
    await tab.page.getByRole("searchbox").fill("");
    await tab.page.getByRole("button").click();
    await tab.page.getByText("shop/cart", { exact: true }).waitFor();
  });

  it("costs a reader what a hundred cost, and a change what it is worth", async () => {
    services = many(10_000);
    const html = await (await fetch(server.url)).text();
    const stream = new PageStream(server.url);
    await stream.until("1–100 of 10000");
    const before = stream.text.length;

    services = services.with(50, serviceStatus("web-50", { state: "retrying" }));
    await stream.until("retrying");
    stream.stop();

    // Some 500 bytes of HTML for a row, 200 in the stream; the row that fails goes up, so that 51 rows change.
    expect(html.length).toBeLessThan(100_000);
    expect(stream.text.length - before).toBeLessThan(20_000);
  });

  it("offers pages as soon as there are some", async ({ tab }) => {
    services = many(100);
    await shown(tab);
    const next = tab.page.getByRole("link", { name: "Next" });
    expect(await next.isVisible()).toBe(false);

    services = many(101);

    await next.waitFor();
  });
});

describe("a page whose server is gone", () => {
  it("says so and how old it is, and is live again when the server is", async ({ tab }) => {
    await shown(tab);
    await tab.page.locator("#services tr").nth(2).waitFor();

    await server.stop();
    await tab.page.getByText(/^Not connected: this is how it was at 20.* UTC\. Trying/).waitFor();
    services = [serviceStatus("web")];
    await server.start();

    await tab.page.getByText("1 Service in sync.").waitFor();
    expect(await tab.page.locator("#live").isVisible()).toBe(false);
    tab.forgive(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING/);
  });

  it("tries again after an answer that a browser takes for the last word", async ({ tab }) => {
    await shown(tab);

    await server.stop();
    await server.startBroken();
    await tab.page.waitForResponse((response) => response.status() === 502);
    await server.stop();
    services = [serviceStatus("web")];
    await server.start();

    await tab.page.getByText("1 Service in sync.").waitFor();
    tab.forgive(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|502/);
  });
});
