/**
 * `it` for tests that look at a page in Chromium: one browser for a file, a tab of its own for each test, and no test passes
 * when the browser had something to complain about. Without Chromium they are skipped, and say why; where `CI` is "true" they fail.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, test } from "vitest";
import { chromiumPath, WHY_NO_CHROMIUM } from "./chromium.js";

/** A tab, and what its browser said about it. */
export class Tab {
  readonly #complaints: string[] = [];

  /** @param page shows nothing yet */
  constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("request", (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== "127.0.0.1") this.#complaints.push(`asked ${request.url()}`);
    });
  }

  /**
   * Errors of scripts, violations of the page's policy, resources that did not come, requests to anybody else than this machine;
   * in order.
   */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** Leaves out what the test has brought about itself. */
  forgive(expected: RegExp): void {
    const others = this.#complaints.filter((complaint) => !expected.test(complaint));
    this.#complaints.splice(0, Infinity, ...others);
  }

  /** As text that a person reads; "" for what is not there. */
  async text(selector: string): Promise<string> {
    return this.page.locator(selector).first().innerText();
  }

  /** Pixels that one would have to scroll sideways to see everything. */
  async hiddenWidth(): Promise<number> {
    // NB: not innerWidth, which a phone lets grow with what is shown.
    const width = await this.page.evaluate<number>("document.documentElement.scrollWidth");
    return width - (this.page.viewportSize()?.width ?? 0);
  }
}

/** Chromium refuses root its sandbox; it sees nothing here but our own page. */
const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

interface BrowserFixtures {
  readonly browser: Browser | undefined;
  readonly tabOf: (options?: BrowserContextOptions) => Promise<Tab>;
  readonly tab: Tab;
}

export const it = test.extend<BrowserFixtures>({
  browser: [
    // Vitest reads the names of what a fixture needs.
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const executablePath = chromiumPath();
      if (executablePath === undefined && process.env["CI"] === "true") {
        throw new Error(WHY_NO_CHROMIUM);
      }
      const browser =
        executablePath === undefined ? undefined : await chromium.launch({ executablePath, args });
      await use(browser);
      await browser?.close();
    },
    { scope: "file" },
  ],
  tabOf: async ({ browser, skip }, use) => {
    if (browser === undefined) return skip(WHY_NO_CHROMIUM);
    const tabs: Tab[] = [];
    await use(async (options = {}) => {
      const tab = new Tab(await browser.newPage(options));
      tabs.push(tab);
      return tab;
    });
    for (const { page } of tabs) await page.context().close();
    expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
  },
  tab: async ({ tabOf }, use) => use(await tabOf()),
});
