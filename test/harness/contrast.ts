import type { Page } from "playwright-core";

/**
 * Texts of a page that stand out from their background by less than 4.5 to 1, which is what WCAG 2.2 (1.4.3) asks for, each once:
 * "#5d656d on #ffffff: State".
 */
export async function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(FAINT);
}

/** Runs in the browser. */
const FAINT = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((one) => {
      const part = one / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (channels(backgroundColor)[3] !== 0) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.textContent.trim()).join("");
    if (text === "" || element.offsetParent === null) continue;
    const [front, back] = [getComputedStyle(element).color, behind(element)];
    const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    if ((light + 0.05) / (dark + 0.05) < 4.5) faint.add(front + " on " + back + ": " + text);
  }
  return [...faint];
})()`;
