/** A screen of the web page in a real browser: opened, settled, measured, and looked over for what bars a reader from it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures of every screen go, for people to look at. */
export const pictures = process.env.FEATHERFLIGHT_SCREENSHOTS;

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained of, such as what the policy forbids. */
  readonly complaints: string[];
}

export interface Look {
  readonly theme?: 'dark' | 'light';
  readonly width?: number;
  readonly height?: number;
}

/** The caller closes the context. */
export async function openPage(browser: Browser, url: string, look: Look = {}): Promise<Opened> {
  const { theme = 'light', width = 1280, height = 800 } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.locator('h1').first().waitFor();
  return { page, context, complaints };
}

/** Resolves when nothing has been read for a while: a screen begins to read a moment after what leads to it was clicked. */
export async function settle(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  for (let quiet = 0; quiet < 5; ) {
    await page.waitForTimeout(50);
    quiet = (await page.getByText('Reading…').count()) === 0 ? quiet + 1 : 0;
  }
}

/** How wide all of the page is, which no screen should be wider than. */
export async function measureWidth(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth')) as number;
}

/** What axe finds serious or critical; it is run from outside of what the policy governs. */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 300)} ${nodes[0]?.failureSummary}`);
}

/** The text of what has the focus. */
export function focused(page: Page): Promise<string> {
  return page.evaluate('document.activeElement.textContent') as Promise<string>;
}

/** Presses Tab until what has this text is focused, and sees that its focus can be seen. */
export async function tabTo(page: Page, text: string): Promise<void> {
  for (let tries = 0; tries < 80; tries++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) !== text) continue;
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    if (outline !== 'solid') throw new Error(`nobody sees that "${text}" has the focus`);
    return;
  }
  throw new Error(`nothing with the text "${text}" can be reached`);
}
