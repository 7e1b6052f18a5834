/** The web page in a real browser: every screen, by mouse and by keyboard, on a desk and on a phone, in both themes, with tokens and without. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, post } from '../support/http-client.ts';
import { openBrowser } from '../support/open-browser.ts';
import {
  findBarriers,
  focused,
  type Look,
  measureWidth,
  type Opened,
  openPage,
  pictures,
  settle,
  tabTo,
} from '../support/open-page.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { longName, type PageStore, startPageStore } from './page-store.ts';

let store: PageStore;
let browser: Browser;

beforeAll(async () => {
  [store, browser] = await Promise.all([startPageStore(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await store?.server.stop();
});

async function open(path: string, look: Look = {}): Promise<Opened> {
  return await openPage(browser, `${store.server.http}/${path}`, look);
}

/** Waits, as whoever looks does: what is drawn comes after what is read. */
const waits = { timeout: 10_000 };

const heading = (page: Page) => page.locator('h1').first().textContent();

const screens = () => ({
  overview: '#/',
  catalogue: '#/catalogue',
  health: '#/health',
  view: '#/views/item_stats',
  'stream-view': '#/views/user_activity',
  'long-names': '#/views/household_with_a_name_that_no_phone_is_wide_enough_for',
  deprecated: '#/views/counted_by_hand',
  'on-demand': '#/views/doubled',
  service: '#/services/feed_v2',
  source: '#/sources/clicks',
  entity: '#/entities/user',
  streams: '#/streams',
  stream: '#/streams/clicks',
  reports: '#/reports',
  parity: `#/reports/${store.reports.parity}`,
  drift: `#/reports/${store.reports.drift}`,
  datasets: `#/reports/${store.reports.datasets}`,
  leaks: `#/reports/${store.reports.leaks}`,
  playground: '#/playground?service=feed_v2',
  nowhere: '#/nowhere',
});

async function lookUp(page: Page, button: string): Promise<void> {
  await page.getByLabel('user_id').fill('1');
  await page.getByRole('button', { name: button }).click();
  await page.getByRole('heading', { level: 2 }).first().waitFor();
}

describe('what is served', () => {
  it('lets the page run nothing but its own files, and keeps these for as long as their names', async () => {
    const index = await call(`${store.server.http}/`);
    expect(index.headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' });
    expect(index.headers['content-security-policy']).toMatch(/^default-src 'self';.*object-src 'none'$/);
    expect(index.headers['content-security-policy']).not.toContain('unsafe');
    expect(index.text).not.toMatch(/<script(?![^>]* src=)|<style|https?:/);
    const names = [...index.text.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name as string);
    expect(names.length).toBeGreaterThanOrEqual(3);
    for (const name of names) {
      const file = await call(`${store.server.http}/${name}`);
      expect(file.status).toBe(200);
      expect(file.headers['cache-control']).toContain('immutable');
    }
    for (const name of ['nothing.js', '..%2Findex.html', '.sources', '%2Fetc%2Fpasswd']) {
      expect((await call(`${store.server.http}/assets/${name}`)).status, name).toBe(404);
    }
  });

  it('is below 300 kB in all, compressed', () => {
    const assets = fileURLToPath(new URL('../../dist/ui/assets', import.meta.url));
    const bytes = readdirSync(assets).reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(300_000);
  });
});

describe('every screen', () => {
  it.each([
    ['desk', 'light', 1280],
    ['desk', 'dark', 1280],
    ['phone', 'light', 375],
    ['phone', 'dark', 375],
  ] as const)(
    'opens on a %s in %s colours: nothing is cut off, forbidden, or out of reach of a reader',
    async (device, theme, width) => {
      const { page, context, complaints } = await open('', { theme, width });
      for (const [name, address] of Object.entries(screens())) {
        await page.goto(`${store.server.http}/${address}`);
        await settle(page);
        if (name === 'playground') await lookUp(page, 'Look up online');
        await page.evaluate('for (const fold of document.querySelectorAll("main > details")) fold.open = true');
        expect(await page.locator('[role=alert]').count(), name).toBe(0);
        expect(await measureWidth(page), `${name} is wider than the screen`).toBeLessThanOrEqual(width);
        expect(await findBarriers(page), name).toEqual([]);
        if (pictures !== undefined)
          await page.screenshot({ path: join(pictures, `${name}-${device}-${theme}.png`), fullPage: true });
      }
      expect(complaints).toEqual([]);
      await context.close();
    },
  );
});

const areaOf = (page: Page, name: string) => page.locator('.area').filter({ has: page.getByRole('heading', { name }) });

describe('the first screen', () => {
  it('tells what is wrong now, each with a link to where it is seen closer', async () => {
    const { page, context, complaints } = await open('');
    await page.getByRole('status').getByText('things are wrong now').waitFor();
    expect(await page.title()).toBe('Overview · Featherflight');
    const wrong = (area: string) => page.getByRole('list', { name: `Wrong: ${area}` });
    const told = async (area: string) => (await wrong(area).getByRole('listitem').allTextContents()).join('\n');
    expect(await told('Alerts')).toMatch(/item_stats:price, alert parity.*report .* fails/);
    expect(await told('Alarms of features')).toMatch(/item_stats:sold constant.*values are 7/);
    expect(await told('Freshness')).toMatch(/household_with.*old.*the objective is 1d/);
    expect(await told('Parity')).toMatch(/item_stats:price.*% of 100 within tolerance, mostly for this cause: bug/);
    expect(await told('Drift')).toMatch(/item_stats:sold.*constant/);
    expect(await told('Leaks')).toContain('leaking: age');
    expect(await told('Streams')).toMatch(/clicks2 of its events count nowhere.*ahead of the server's clock/);
    expect(await told('Catalogue')).toMatch(/counted_by_hand.*may be removed since 2026-06-01, and was read .* ago/);
    await wrong('Parity').getByRole('link', { name: 'item_stats:price' }).click();
    const price = page.locator('main > details[open]', { hasText: 'item_stats:price' });
    await price.getByText('Keys that differ most').waitFor();
    await price.locator('details').first().locator('summary').first().click();
    await price.getByRole('region', { name: 'Rows or events behind the training value' }).first().waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('health', () => {
  it('lists alerts that fire and those that wait, alarms of features, and how old what is served of each view is', async () => {
    const { page, context } = await open('#/health');
    const rows = async (table: string) =>
      (await page.getByRole('region', { name: table }).getByRole('row').allTextContents()).slice(1);
    await page.getByRole('region', { name: 'Alerts' }).waitFor();
    expect((await rows('Alerts')).join('\n')).toMatch(/paritycriticalitem_stats:price.*featurewaitingitem_stats:sold/s);
    expect(await page.locator('main').textContent()).toContain('lag clicks above 600 s (warning)');
    await page.getByRole('region', { name: 'Alarms' }).waitFor();
    expect((await rows('Alarms')).join('\n')).toMatch(/item_stats:soldconstantall \d+ values are 7/);
    await page.getByRole('region', { name: 'Freshness' }).waitFor();
    const ages = await rows('Freshness');
    expect(ages.find((row) => row.startsWith('household'))).toMatch(/STALE1d\d+ days/);
    expect(ages.find((row) => row.startsWith('item_stats'))).toMatch(/–none/);
    await page.getByRole('region', { name: 'Alarms' }).getByRole('link', { name: 'item_stats:sold' }).click();
    await page.locator('mark', { hasText: 'sold' }).waitFor();
    await page.getByRole('list', { name: 'Wrong now' }).getByText('item_stats:sold constant').waitFor();
    await context.close();
  });
});

describe('the catalogue', () => {
  it('finds by name, owner and tag, filters by kind, and says where nothing is found', async () => {
    const { page, context } = await open('#/catalogue');
    await settle(page);
    const names = () => page.locator('.card .name').allTextContents();
    expect(await names()).toEqual(
      expect.arrayContaining(['item_stats', 'user_activity', 'doubled', 'feed_v2', 'clicks', 'user']),
    );
    const search = page.getByRole('searchbox', { name: 'Search the catalogue' });
    await search.fill('clicks_7d');
    expect(await names()).toEqual(['user_activity:clicks_7d']);
    await search.fill('gold');
    expect(await names()).toEqual(['user_activity']);
    await search.fill('growth@example.com');
    await page.getByRole('button', { name: /^Sources/ }).click();
    expect(await names()).toEqual(['clicks']);
    await search.fill('unicorn');
    await page.getByText('Nothing has “unicorn”').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await search.fill('clicks_7d');
    await page.getByRole('link', { name: 'user_activity:clicks_7d' }).click();
    await page.locator('mark', { hasText: 'clicks_7d' }).waitFor();
    expect(await heading(page)).toBe('user_activity');
    await context.close();
  });
});

describe('a view', () => {
  it('shows its schema, owner, source, freshness, what was served, reports over time, lineage, and code that names its features', async () => {
    const { page, context } = await open('#/views/item_stats');
    await settle(page);
    const row = page
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name: 'price', exact: true }) })
      .first();
    expect(await row.textContent()).toContain('float64');
    const facts = await page.locator('.facts').first().textContent();
    expect(facts).toMatch(
      /Owner.*Source.*stock.*Newest event of its source.*ago2026-01-01 00:00:00 UTC.*Freshness objectivenone/,
    );
    await page.getByText('Statuses of the values served').waitFor();
    expect(await page.locator('.legend').first().textContent()).toContain('PRESENT 100 %');
    await page.getByText('Default rate').first().waitFor();
    await page.getByText('Share of served values that training gets as well').waitFor();
    await page.getByRole('figure', { name: 'Values of price, by report' }).waitFor();
    await expect.poll(() => page.locator('.heat rect').count(), waits).toBeGreaterThan(2);
    await page.getByRole('combobox', { name: 'Feature' }).selectOption('sold');
    await page.getByRole('figure', { name: 'Values of sold, by report' }).waitFor();
    const lineage = await page.locator('.lineage a').allTextContents();
    expect(lineage.join(' ')).toMatch(/stock.*item_stats.*ranker/);
    expect(await page.locator('.code code').textContent()).toContain('"item_stats:price"');
    await page.getByRole('button', { name: 'Node' }).click();
    expect(await page.locator('.code code').textContent()).toContain("from 'featherflight/client'");
    await page.locator('.lineage a', { hasText: 'ranker' }).click();
    await page.getByText('feature service', { exact: true }).waitFor();
    await context.close();
  });

  it('that does not exist is said not to', async () => {
    const { page, context } = await open('#/views/item_stats');
    await page.goto(`${store.server.http}/#/views/unicorn`);
    await page.getByRole('alert').getByText('no view is named "unicorn"').waitFor();
    await context.close();
  });
});

describe('what is deprecated', () => {
  it('says so in the catalogue, on its own screen and beside its features, and who reads it still', async () => {
    const { page, context } = await open('#/catalogue');
    await page.getByRole('searchbox').fill('deprecated');
    await page.getByRole('link', { name: 'counted_by_hand', exact: true }).click();
    await page.getByRole('note').getByText('Deprecated since 2026-01-01; counted by hand; read user_activity instead').waitFor();
    const schema = await page.getByRole('region', { name: 'Schema' }).getByRole('row').allTextContents();
    expect(schema.filter((row) => row.includes('deprecated'))).toHaveLength(2);
    expect(await page.getByRole('region', { name: 'Readers' }).textContent()).toContain('anonymous');
    await context.close();
  });
});

describe('streams', () => {
  it('show lag and events set aside with their reasons, filtered by reason, down to the value', async () => {
    const { page, context } = await open('#/streams');
    await settle(page);
    await page.getByRole('link', { name: 'clicks' }).click();
    await settle(page);
    await page.getByRole('region', { name: 'Partitions' }).waitFor();
    const reasons = page.locator('.events .reason');
    await expect.poll(() => reasons.count(), waits).toBe(2);
    await page.getByLabel('With this in the reason').fill('is 1499');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect.poll(() => reasons.count(), waits).toBe(1);
    await page.locator('.events summary').click();
    expect(await page.locator('.events pre').textContent()).toContain('"user_id":"1"');
    await page.getByLabel('With this in the reason').fill('unicorn');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('No event was set aside with “unicorn”').waitFor();
    await context.close();
  });
});

describe('reports', () => {
  it('are listed by kind and time, and lead to the keys that differ most', async () => {
    const { page, context } = await open('#/reports');
    await settle(page);
    await expect.poll(() => page.locator('.timeline .mark').count(), waits).toBe(5);
    await page.getByRole('button', { name: /^parity/ }).click();
    await expect.poll(() => page.getByRole('row').count(), waits).toBe(2);
    await page.getByRole('table').getByRole('link').click();
    await page.getByText('Report of parity').waitFor();
    const price = page.locator('main > details', { hasText: 'item_stats:price' });
    await price.locator('summary').first().click();
    const worst = price.locator('details').first();
    await worst.locator('summary').first().click();
    expect(await worst.textContent()).toMatch(/item_id = item \d+.*Online.*Offline/);
    await context.close();
  });

  it('of drift draw both distributions and name the alarms; of leaks show rows that know the future', async () => {
    const { page, context } = await open(`#/reports/${store.reports.drift}`);
    await settle(page);
    const price = page.locator('main > details', { hasText: 'item_stats:price' });
    if ((await price.getAttribute('open')) === null) await price.locator('summary').first().click();
    await expect.poll(() => price.locator('.recharts-bar-rectangle').count(), waits).toBeGreaterThan(2);
    expect(await price.textContent()).toMatch(/Population stability index/);
    await page.goto(`${store.server.http}/#/reports/${store.reports.leaks}`);
    await page.getByText('Report of leaks').waitFor();
    await expect.poll(() => page.locator('main').textContent(), waits).toMatch(/FAIL.*age.*Rest on the future/);
    await context.close();
  });

  it('of drift name the two datasets that were compared', async () => {
    const { page, context } = await open(`#/reports/${store.reports.datasets}`);
    await settle(page);
    const facts = (await page.locator('main').textContent()) ?? '';
    expect(facts).toMatch(/What was compared.*dataset prices@2, split train \(\d+ rows\)/);
    expect(facts).toMatch(/Compared with.*dataset prices@1 \(100 rows\)/);
    const price = page.locator('main > details', { hasText: 'item_stats:price' });
    if ((await price.getAttribute('open')) === null) await price.locator('summary').first().click();
    const rows = await price.getByLabel('Both sides').locator('tbody tr').allTextContents();
    expect(rows.map((row) => /^prices@\d( train)?/.exec(row)?.[0])).toEqual(['prices@1', 'prices@2 train']);
    await context.close();
  });
});

describe('the playground', () => {
  it('looks an entity up online, and says of each value whether it is a default', async () => {
    const { page, context } = await open('#/playground?service=feed_v2');
    await lookUp(page, 'Look up online');
    const cells = await page.getByRole('row').allTextContents();
    expect(cells.find((row) => row.startsWith('clicks_7d'))).toMatch(/^clicks_7d1PRESENT/);
    expect(cells.find((row) => row.startsWith('city'))).toContain('Zürich');
    await page.getByLabel('user_id').fill('one');
    await page.getByRole('button', { name: 'Look up online' }).click();
    await page.getByRole('alert').getByText('user_id is a whole number, and not "one"').waitFor();
    await context.close();
  });
});

describe('the playground, offline', () => {
  it('computes an entity again from history and shows what each value is made of; where they differ it says why', async () => {
    const { page, context, complaints } = await open('#/playground?service=feed_v2');
    await lookUp(page, 'Recompute and explain');
    await page.getByText('4 of 4 values agree').waitFor();
    const clicks = page.locator('details.fold', { hasText: 'clicks_7d' });
    await clicks.locator('summary').click();
    expect(await clicks.textContent()).toMatch(/Online1 .*Offline1 .*Events of user_activity behind it/);
    await page.getByRole('combobox', { name: 'Ask for' }).selectOption('view item_stats');
    await page.getByLabel('item_id').fill('item 7');
    await page.getByRole('button', { name: 'Recompute and explain' }).click();
    await page.getByText('0 of 2 values agree').waitFor();
    const price = page.locator('details.fold').first();
    expect(await price.textContent()).toMatch(/differs.*Online402.*Offline3.*Row of item_stats behind it/);
    expect(await findBarriers(page)).toEqual([]);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'explained.png'), fullPage: true });
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('the keyboard alone', () => {
  it('searches from the first screen, opens a view, skips to its content, folds out and changes the theme', async () => {
    const { page, context } = await open('');
    await settle(page);
    await page.keyboard.press('/');
    await page.keyboard.type('user_activity');
    await page.keyboard.press('Enter');
    await page.locator('.card .name', { hasText: 'user_activity' }).first().waitFor();
    await tabTo(page, 'user_activity');
    await page.keyboard.press('Enter');
    await page.getByText('stream view').first().waitFor();
    // A new screen begins at its content.
    expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await page.reload();
    await settle(page);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await tabTo(page, 'Node');
    await page.keyboard.press('Space');
    expect(await page.locator('.code code').textContent()).toContain('FeatherflightClient');
    await page.reload();
    await tabTo(page, 'Dark');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark');
    await page.reload();
    expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark');
    await context.close();
  });
});

it(`breaks names of ${longName.length} letters rather than the page`, async () => {
  const { page, context } = await open('#/views/household_with_a_name_that_no_phone_is_wide_enough_for', { width: 375 });
  await settle(page);
  expect(await page.getByText(longName).first().isVisible()).toBe(true);
  expect(await measureWidth(page)).toBe(375);
  await context.close();
});

describe('where tokens are on', () => {
  const made: Record<string, string> = {};

  beforeAll(async () => {
    const make = async (name: string, request: object) => {
      const headers: Record<string, string> = made.admin === undefined ? {} : { authorization: `Bearer ${made.admin}` };
      made[name] = ((await post(`${store.server.http}/api/v1/tokens`, request, headers)).json() as { token: string }).token;
    };
    await make('admin', { scopes: ['admin'] });
    await make('online', { scopes: ['read-online'] });
    await make('items', { scopes: ['read-online', 'read-offline'], views: ['item_stats'] });
  });

  /** Opens a screen and gives it the token that it asks for. */
  async function openWith(name: string, path: string): Promise<Opened> {
    const opened = await open(path);
    const asked = opened.page.getByRole('alert').first();
    await asked.getByLabel('Token').fill(made[name] as string);
    await asked.getByRole('button', { name: 'Use this token' }).click();
    return opened;
  }

  it('a token for certain views sees what reports, alarms and alerts tell of these, and how much it does not see', async () => {
    const { page, context } = await openWith('items', '#/reports');
    await page.getByText('1 more tell of other views than your token is for').waitFor();
    const listed = await page.getByRole('table').getByRole('row').allTextContents();
    expect(listed.filter((row) => /parity|drift/.test(row))).toHaveLength(4);
    expect(listed.join('\n')).toMatch(/parityFAIL\d+ features are not shown to your token/);
    await page.goto(`${store.server.http}/#/reports/${store.reports.parity}`);
    await page.getByRole('note').getByText('Your token is for certain views').waitFor();
    const folds = await page.locator('main > details > summary').allTextContents();
    expect(folds.map((text) => /item_stats:(price|sold)/.exec(text)?.[1])).toEqual(['price', 'sold']);
    expect(await findBarriers(page)).toEqual([]);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'narrowed.png'), fullPage: true });
    await page.goto(`${store.server.http}/#/reports/${store.reports.leaks}`);
    await page.getByRole('alert').getByText('tells of other views than this token is for').waitFor();
    await page.goto(`${store.server.http}/#/views/user_profile`);
    await page.getByText('No report of parity tells your token of this view').waitFor();
    await page.goto(`${store.server.http}/#/`);
    await page.getByRole('list', { name: 'Wrong: Alarms of features' }).getByText('item_stats:sold constant').waitFor();
    expect(await areaOf(page, 'Parity').textContent()).toContain('not shown to your token');
    await context.close();
  });

  it('the page opens without one and holds nothing; it asks for one, keeps it for this tab alone, and forgets it', async () => {
    const { page, context, complaints } = await open('#/catalogue');
    await page.getByRole('alert').getByText('A token is needed').waitFor();
    expect(await page.locator('main').textContent()).not.toContain('user_profile');
    await page.getByRole('alert').getByLabel('Token').fill('ff_wrong');
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByRole('alert').getByText('this token is none of this server').waitFor();
    await page
      .getByRole('alert')
      .getByLabel('Token')
      .fill(made.admin as string);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await page.getByRole('link', { name: 'item_stats' }).waitFor();
    expect(await page.evaluate('[JSON.stringify(localStorage), document.cookie].join()')).not.toContain('ff_');
    await page.reload();
    await page.getByRole('link', { name: 'item_stats' }).waitFor();
    const other = await context.newPage();
    await other.goto(`${store.server.http}/#/catalogue`);
    await other.getByText('A token is needed').waitFor();
    await page.getByRole('button', { name: 'Token set' }).click();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Forget it' }).click();
    await page.getByText('A token is needed').waitFor();
    // The browser tells of each answer with 401; of nothing else.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
    await context.close();
  });

  it('a token without the rights is told which it lacks', async () => {
    const { page, context } = await openWith('online', '#/catalogue');
    await page.getByRole('link', { name: 'item_stats' }).waitFor();
    await page.goto(`${store.server.http}/#/reports`);
    await page.getByRole('alert').getByText('this needs the scope "read-offline"').waitFor();
    await page.goto(`${store.server.http}/#/`);
    await page.getByRole('heading', { name: 'Parity' }).waitFor();
    expect(await areaOf(page, 'Parity').textContent()).toMatch(/not to be seen.*the scope "read-offline"/);
    expect(await areaOf(page, 'Streams').textContent()).toMatch(/1 stream/);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'denied.png') });
    await context.close();
  });
});

describe('over TLS', () => {
  let server: ServerProcess;
  const pem = (name: string) => fileURLToPath(new URL(`../flight/support/localhost.${name}.pem`, import.meta.url));

  beforeAll(async () => {
    server = await startServer(await makeHttpStore({ tls: { cert: pem('cert'), key: pem('key') } }));
    const materialized = await call(`${server.http}/api/v1/materialize`, { body: '{}', ca: readFileSync(pem('cert'), 'utf8') });
    expect(materialized.status, materialized.text).toBe(200);
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('is the same page, which asks nobody else, and copies', async () => {
    expect(server.http).toMatch(/^https:/);
    // The certificate is of its own making: whoever opens the page says that they trust it.
    const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    const asked = new Set<string>();
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    await page.goto(`${server.http}/#/views/item_stats`);
    await page.getByRole('heading', { name: 'item_stats' }).waitFor();
    await settle(page);
    await page.getByRole('button', { name: 'Node' }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(`url: '${new URL(server.http).origin}'`);
    await page.getByRole('link', { name: 'Try it in the playground' }).click();
    await page.getByLabel('item_id').fill('item 7');
    await page.getByRole('button', { name: 'Recompute and explain' }).click();
    await page.getByText('2 of 2 values agree').waitFor();
    expect([...asked]).toEqual([new URL(server.http).origin]);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
