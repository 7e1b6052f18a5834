/** Datasets on the web page, in a real browser: found, read, compared, and told of when they are gone. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { runProgram } from '../support/run-program.ts';
import { pythonPath } from '../support/start-python.ts';
import { cliPath } from '../support/start-server.ts';
import { type DatasetPageStore, dailyDatasets, startDatasetPageStore } from './ui-datasets-store.ts';

let store: DatasetPageStore;
let browser: Browser;

beforeAll(async () => {
  [store, browser] = await Promise.all([startDatasetPageStore(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await store?.server.stop();
});

async function open(path: string, look: Look = {}): Promise<Opened> {
  return await openPage(browser, `${store.server.http}/${path}`, look);
}

/** Waits, as whoever looks does: what is drawn comes after what is read. */
const waits = { timeout: 30_000 };

const rowsOf = async (page: Page, table: string) => {
  await page.getByRole('region', { name: table, exact: true }).waitFor();
  return (await page.getByRole('region', { name: table, exact: true }).getByRole('row').allTextContents()).slice(1);
};

const screens = {
  datasets: '#/datasets',
  dataset: '#/datasets/ranker',
  version: '#/datasets/ranker@3',
  'older-version': '#/datasets/ranker@1',
  'tagged-version': '#/datasets/ranker@2?column=item_id',
  'wide-version': '#/datasets/profiles@1?column=since',
  diff: '#/datasets/ranker@1/diff/ranker@2',
  'same-diff': '#/datasets/ranker@1/diff/ranker@1',
  'view-with-datasets': '#/views/item_stats',
  'catalogue-with-datasets': '#/catalogue?kind=dataset',
};

describe('every screen of datasets', () => {
  it.each([
    ['desk', 'light', 1280],
    ['desk', 'dark', 1280],
    ['phone', 'light', 390],
    ['phone', 'dark', 390],
  ] as const)(
    'opens on a %s in %s colours: nothing is cut off, forbidden, or out of reach of a reader',
    async (device, theme, width) => {
      const { page, context, complaints } = await open('', { theme, width });
      for (const [name, address] of Object.entries(screens)) {
        await page.goto(`${store.server.http}/${address}`);
        await settle(page);
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

it('is no wider than any screen between a phone and a desk', async () => {
  const { page, context } = await open('#/datasets/ranker@2');
  await settle(page);
  for (const width of [320, 641, 768, 1024, 1101, 1180, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await measureWidth(page), `at ${width}`).toBeLessThanOrEqual(width);
    const brand = await page.locator('.brand').boundingBox();
    expect(brand?.height, `the name breaks at ${width}`).toBeLessThan(40);
  }
  await context.close();
});

describe('the list of datasets', () => {
  it('has the newest version of each, is searched by label, model and view, and is in the search of the page', async () => {
    const { page, context } = await open('');
    await page.getByRole('navigation').getByRole('link', { name: 'Datasets' }).click();
    expect((await rowsOf(page, 'Datasets')).find((row) => row.startsWith('ranker'))).toMatch(
      /^rankerranker@3900train \d+, valid \d+, test \d+.*agorankerclicked.*1 broken/,
    );
    expect(await page.getByRole('navigation').locator('[aria-current]').textContent()).toBe('Datasets');
    const search = page.getByRole('searchbox', { name: 'Search datasets' });
    await search.fill('clicked');
    await page
      .getByRole('status')
      .getByText(`2 of ${dailyDatasets + 3} datasets`)
      .waitFor();
    await search.fill('user_profile since');
    await expect.poll(() => rowsOf(page, 'Datasets'), waits).toEqual([expect.stringMatching(/^profilesprofiles@1/)]);
    await search.fill('unicorn');
    await page.getByText('No dataset has “unicorn”').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('searchbox', { name: 'Search the catalogue' }).fill('profiles');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Datasets 1/ }).click();
    const card = page.locator('.card');
    await expect
      .poll(() => card.allTextContents(), waits)
      .toEqual([expect.stringMatching(/profiles.*newest version 1 · 800 rows/)]);
    await card.getByRole('link').click();
    await page.getByRole('heading', { name: 'profiles', level: 1 }).waitFor();
    await expect.poll(() => page.title(), waits).toBe('profiles · Featherflight');
    await context.close();
  });
});

describe('a dataset', () => {
  it('shows its versions, the newest first, and compares two of them', async () => {
    const { page, context } = await open('#/datasets/ranker');
    expect(await rowsOf(page, 'Versions')).toEqual([
      expect.stringMatching(/^ranker@3900/),
      expect.stringMatching(/^ranker@2800.*ctr@7/),
      expect.stringMatching(/^ranker@1800train 456, test 344.*plain/),
    ]);
    await page.getByRole('figure', { name: 'Rows by version' }).waitFor();
    await page.getByRole('combobox', { name: 'Compare' }).selectOption('ranker@1');
    await page.getByRole('combobox', { name: 'with' }).selectOption('ranker@2');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('heading', { name: 'ranker@1 and ranker@2' }).waitFor();
    await expect.poll(() => page.title(), waits).toBe('ranker@1 and ranker@2 · Featherflight');
    await context.close();
  });
});

describe('a version', () => {
  it('shows its identity, recipe, splits, columns with roles and statistics, expectations, models, size and readers', async () => {
    const { page, context } = await open('#/datasets/ranker@2');
    await page.getByText('older version').waitFor();
    await page.getByRole('link', { name: 'ranker@3' }).first().waitFor();
    const shown = (await call(`${store.server.http}/api/v1/datasets/ranker@2`)).json() as { id: string };
    expect(await page.locator('.identity code').textContent()).toBe(shown.id);
    const facts = (await page.locator('main > .facts').first().textContent()) ?? '';
    expect(facts).toMatch(/Rows800.*Read now bynobody.*Can be computed againyes/);
    expect(bytesOf(/Size on disk([\d.]+ (?:bytes|kB|MB))/.exec(facts)?.[1] ?? '')).toBeCloseTo(sizeOfFiles('ranker/2') / 1000, 0);
    expect((await rowsOf(page, 'Splits')).join('\n')).toMatch(/^train\d+\d\d\.?\d* %1.*kB\nvalid.*\ntest/);
    const recipe = (await page.locator('main > .facts').nth(1).textContent()) ?? '';
    expect(recipe).toMatch(/Serviceranker.*Frame800 rows, data\/frame\.parquet.*As ofeach row’s event_timestamp/);
    expect(recipe).toMatch(/Splitby item_id: train 80 %, valid 10 %, test 10 %, seed 7Labelsclicked/);
    expect(await rowsOf(page, 'Features by view')).toEqual([
      'user_profileage, score',
      'item_statsprice, sold',
      'doubledtimes_age',
    ]);
    expect((await rowsOf(page, 'Sources')).join('\n')).toMatch(/profiles1.*kBnone\nstock1.*kBnone/);
    const columns = await rowsOf(page, 'Columns');
    expect(columns.find((row) => row.startsWith('user_id'))).toMatch(/^user_idint64key/);
    expect(columns.find((row) => row.startsWith('event_timestamp'))).toMatch(
      /^event_timestamptimestamp\[us, UTC\]timestamp.*2026-03-01 00:00:00 UTC to 2026-04-03/,
    );
    expect(columns.find((row) => row.startsWith('clicked'))).toMatch(/^clickedint32label/);
    expect(columns.find((row) => row.startsWith('mobile'))).toMatch(/^mobileboolof the frametrue 20 %/);
    expect(columns.find((row) => row.startsWith('channel'))).toMatch(/^channelutf8of the framemost: channel \d 25 %2 %/);
    expect(columns.find((row) => row.startsWith('age'))).toMatch(/^ageint32feature0 %50 %50 %/);
    expect(columns.find((row) => row.startsWith('__row'))).toMatch(/^__rowint64place in the frame/);
    const gates = await rowsOf(page, 'Expectations');
    expect(gates[0]).toMatch(/^agebrokenrangebetween 0 and 120600 of 800 rows are notrow 1 with -1it is told/);
    expect(gates.slice(1).join('\n')).toMatch(/priceheldnull rate.*\nclickedheldvalues/);
    expect(await rowsOf(page, 'Models')).toEqual([expect.stringMatching(/^ctr7.*ago/)]);
    expect(
      (await page.getByRole('list', { name: 'Lineage in words' }).getByRole('listitem').allTextContents()).toSorted(),
    ).toEqual([
      'datasets/ranker@2 feeds models/ctr@7',
      'services/ranker feeds datasets/ranker@2',
      'sources/profiles feeds views/user_profile',
      'sources/stock feeds views/item_stats',
      'views/doubled feeds services/ranker',
      'views/item_stats feeds services/ranker',
      'views/user_profile feeds services/ranker',
      'views/user_profile feeds views/doubled',
    ]);
    await page.locator('.lineage a', { hasText: 'model' }).waitFor();
    await page.locator('.lineage a', { hasText: 'service' }).click();
    await page.getByText('feature service', { exact: true }).waitFor();
    await context.close();
  });

  it('shows a column closer, with its statuses, its distribution, its vocabulary and what is most frequent', async () => {
    const { page, context } = await open('#/datasets/ranker@2');
    const closer = page.getByRole('combobox', { name: 'Column' });
    await closer.selectOption('price');
    await page.getByRole('figure', { name: 'Values of price' }).waitFor();
    await expect.poll(() => page.locator('.recharts-bar-rectangle').count(), waits).toBeGreaterThan(5);
    const detail = page.locator('main > .facts').nth(2);
    expect(await detail.textContent()).toMatch(/Featureitem_stats:priceNull.*100 rows, 12\.5 %.*Least0Greatest449\.\d/);
    expect(await page.getByRole('figure', { name: 'Statuses of price' }).textContent()).toMatch(
      /PRESENT 87\.5 %.*NOT_FOUND 12\.5 %/,
    );
    expect(page.url()).toContain('column=price');
    await closer.selectOption('item_id');
    await expect.poll(() => detail.textContent(), waits).toMatch(/Vocabulary700 values/);
    expect(await rowsOf(page, 'Most frequent values of item_id')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^item \d+20\.25 %$/)]),
    );
    await page.goto(`${store.server.http}/#/datasets/profiles@1`);
    expect(await rowsOf(page, 'Columns')).toHaveLength(40);
    await page.getByRole('button', { name: 'Show all 51' }).click();
    expect(await rowsOf(page, 'Columns')).toHaveLength(51);
    await page.getByRole('searchbox', { name: 'Filter columns' }).fill('status');
    await expect.poll(async () => (await rowsOf(page, 'Columns')).every((row) => row.includes('status')), waits).toBe(true);
    await page.getByRole('searchbox', { name: 'Filter columns' }).fill('unicorn');
    await page.getByText('No column has “unicorn”').waitFor();
    await context.close();
  });

  it('gives code that runs as it is copied, in Python, with torch, in Node and on the command line', async () => {
    const { page, context } = await open('#/datasets/sales@1');
    const code = async (language: string) => {
      await page.getByRole('button', { name: language, exact: true }).click();
      return (await page.getByRole('region', { name: `Code for ${language}` }).textContent()) ?? '';
    };
    const environment = { FEATHERFLIGHT_URL: store.server.url };
    const python = async (text: string, what: string) =>
      await runProgram(pythonPath, ['-W', 'ignore', '-c', `${text}\nprint(${what})`], { environment });
    const frame = await python(await code('Python'), 'len(frame)');
    expect(frame, frame.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n640\n$/) });
    const torch = await python(await code('PyTorch'), 'features.shape[1]');
    expect(torch, torch.stderr).toMatchObject({ status: 0, stdout: '2\n' });
    const node = (await code('Node')).replace("url: '", `flightUrl: '${store.server.url}', url: '`);
    // In the package, which finds itself by its name.
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const ran = await runProgram(process.execPath, ['--input-type=module', '-e', node], { cwd });
    expect(ran, ran.stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/^640 of 640\n$/) });
    for (const line of (await code('Command line')).trim().split('\n')) {
      const [, ...args] = line.replace('MODEL@VERSION', 'ctr@7').split(' ');
      const done = await runProgram(process.execPath, [cliPath, ...args], { cwd: store.directory, environment });
      expect(done, line).toMatchObject({ status: 0, stderr: '' });
    }
    await context.close();
  });
});

function bytesOf(text: string): number {
  const [number = '', unit = ''] = text.split(' ');
  return Number(number) * ({ bytes: 0.001, kB: 1, MB: 1000 }[unit] ?? Number.NaN);
}

/** Of all that it has but what describes it. */
function sizeOfFiles(version: string): number {
  const folder = join(store.directory, '.featherflight/storage/datasets', version);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['manifest.json', 'tags.json'].includes(entry.name))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

describe('two versions', () => {
  it('stand side by side: what changed in recipe, columns, statistics and sources is said in words', async () => {
    const { page, context } = await open('#/datasets/ranker@1/diff/ranker@2');
    await page.getByText('They differ in: recipe, columns, rows, statistics, sources.').waitFor();
    const recipe = (await rowsOf(page, 'Recipe')).join('\n');
    expect(recipe).toContain('serviceplainrankerchanged');
    expect(recipe).toMatch(
      /splitby the time of each row: train before 2026-03-20 00:00:00 UTC, test the restby item_id: .*changed/,
    );
    expect(recipe).toMatch(/definition of times_agenone[0-9a-f]{12}…added/);
    expect(await rowsOf(page, 'Columns')).toEqual(['times_agenonefloat64, featureadded']);
    await page.getByRole('checkbox', { name: 'Show also columns that are the same' }).check();
    expect((await rowsOf(page, 'Columns')).find((row) => row.startsWith('price'))).toBe(
      'pricefloat64, featurefloat64, featuresame',
    );
    expect((await rowsOf(page, 'Both versions')).join('\n')).toMatch(/rows800800same\nrows of train456\d+\d+ more \(\+\d+.*\n/);
    const price = page.locator('main > details', { hasText: 'price' });
    expect(await price.textContent()).toMatch(/greatest299\.5449\.\d149\.\d more \(\+50 %\)/);
    await page.getByRole('figure', { name: 'Values of price' }).waitFor();
    expect(await rowsOf(page, 'Sources')).toEqual(['stockchangeddata/items.parquet']);
    await page.getByRole('link', { name: 'The other way round' }).click();
    await page.getByRole('heading', { name: 'ranker@2 and ranker@1' }).waitFor();
    await expect.poll(() => rowsOf(page, 'Columns'), waits).toEqual(['times_agefloat64, featurenoneremoved']);
    await page.goto(`${store.server.http}/#/datasets/ranker@1/diff/ranker@1`);
    await page.getByText('They are the same: one identity').waitFor();
    await context.close();
  });
});

describe('what datasets are made of', () => {
  it('leads to them: a view, a service and a source name those that are, few of them in the graph', async () => {
    const { page, context } = await open('#/views/item_stats');
    const made = (await rowsOf(page, 'Datasets made of it')).join('\n');
    expect(made).toMatch(/^daily_1daily_1@1/);
    expect(made).toContain('rankerranker@3');
    expect(made).not.toContain('profiles@1');
    expect((await page.locator('.lineage a').allTextContents()).join(' ')).toContain(`datasets${dailyDatasets + 2 - 6} more`);
    await page.goto(`${store.server.http}/#/services/plain`);
    await page.getByText('No newest version of a dataset is made of it').waitFor();
    await page.goto(`${store.server.http}/#/sources/profiles`);
    expect((await rowsOf(page, 'Datasets made of it')).join('\n')).toMatch(/profiles@1.*\n.*ranker@3/);
    await page.getByRole('region', { name: 'Datasets made of it' }).getByRole('link', { name: 'ranker@3' }).click();
    await page.getByRole('heading', { name: 'ranker@3', level: 1 }).waitFor();
    await context.close();
  });
});

it('begins a graph that has no room at what the screen is about', async () => {
  const { page, context } = await open('#/views/item_stats', { width: 390 });
  const here = page.locator('.lineage a[aria-current]');
  await here.waitFor();
  const [node, frame] = [await here.boundingBox(), await page.locator('.lineage').boundingBox()];
  expect(node?.x).toBeGreaterThan(frame?.x ?? Number.NaN);
  expect((node?.x ?? 0) + (node?.width ?? 0)).toBeLessThan((frame?.x ?? 0) + (frame?.width ?? 0));
  await context.close();
});

it('is read and compared with the keyboard alone', async () => {
  const { page, context } = await open('#/datasets');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('region', { name: 'Datasets' }).waitFor();
  await tabTo(page, 'ranker');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Versions' }).waitFor();
  // A new screen begins at its content.
  expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
  await tabTo(page, 'ranker@2');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'ranker@2', level: 1 }).waitFor();
  await tabTo(page, 'Copy the identity');
  await page.keyboard.press('Enter');
  await page.locator('.identity').getByRole('status').getByText('Copied').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await page.locator('.identity code').textContent());
  await tabTo(page, 'Compare');
  await page.keyboard.press('Space');
  await page.getByRole('heading', { name: 'ranker@1 and ranker@2', level: 1 }).waitFor();
  await expect.poll(() => focused(page), waits).toContain('They differ in');
  await context.close();
});

describe('what is not there', () => {
  it('is told, with what is: a version that was deleted meanwhile, one that never was, a dataset of no such name', async () => {
    await store.create({ name: 'passing', features: ['item_stats:price'] });
    await store.create({ name: 'passing', features: ['item_stats:sold'] });
    const { page, context, complaints } = await open('#/datasets/passing@2');
    await page.getByRole('heading', { name: 'passing@2', level: 1 }).waitFor();
    const remove = async (version: string) => {
      expect((await call(`${store.server.http}/api/v1/datasets/${version}`, { method: 'DELETE' })).status).toBe(200);
    };
    await remove('passing@2');
    await page.getByRole('button', { name: 'Read again' }).click();
    const told = page.getByRole('alert');
    await told.getByText('dataset passing@2 was deleted at').waitFor();
    await told.getByText(/^This version was deleted/).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'dataset-deleted.png') });
    await told.getByRole('link', { name: 'passing@1' }).click();
    await page.getByRole('heading', { name: 'passing@1', level: 1 }).waitFor();
    await page.goto(`${store.server.http}/#/datasets/passing@1/diff/passing@2`);
    await told.getByText('dataset passing@2 was deleted at').waitFor();
    await page.goto(`${store.server.http}/#/datasets/ranker@9`);
    await told.getByText('dataset ranker@9 does not exist; there are ranker@1, ranker@2, ranker@3').waitFor();
    await remove('passing@1');
    await page.goto(`${store.server.http}/#/datasets/passing@1`);
    await told.getByText(/dataset passing@1 was deleted at .*; there is no other version/).waitFor();
    await page.goto(`${store.server.http}/#/datasets/rankr`);
    await told.getByText('there is no dataset "rankr"; did you mean "ranker"?').waitFor();
    await told.getByRole('link', { name: 'All datasets' }).click();
    await page.getByRole('region', { name: 'Datasets' }).waitFor();
    // The browser tells of each answer with 404; of nothing else.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    await context.close();
  });

  it('hides nothing else where it is damaged, and is listed with what is wrong', async () => {
    await store.create({ name: 'damaged', features: ['item_stats:price'] });
    const manifest = join(store.directory, '.featherflight/storage/datasets/damaged/1/manifest.json');
    const whole = readFileSync(manifest);
    writeFileSync(manifest, 'nothing');
    const { page, context } = await open('#/catalogue');
    await page.getByText('newest version 1 · damaged').waitFor();
    await page.getByRole('link', { name: 'item_stats', exact: true }).waitFor();
    await page.goto(`${store.server.http}/#/datasets`);
    await page.getByRole('table').getByText('datasets/damaged/1/manifest.json is damaged').waitFor();
    await context.close();
    writeFileSync(manifest, whole);
  });
});

describe('where tokens are on', () => {
  const made: Record<string, string> = {};

  beforeAll(async () => {
    const make = async (name: string, request: object) => {
      const headers: Record<string, string> = made.admin === undefined ? {} : { authorization: `Bearer ${made.admin}` };
      made[name] = ((await post(`${store.server.http}/api/v1/tokens`, request, headers)).json() as { token: string }).token;
    };
    await make('admin', { scopes: ['admin'], description: 'Ada' });
    await make('items', { scopes: ['read-offline'], views: ['item_stats'] });
    await make('users', { scopes: ['read-online'], views: ['doubled'] });
  });

  async function openWith(name: string, path: string): Promise<Opened> {
    const opened = await open(path);
    const asked = opened.page.getByRole('alert').first();
    await asked.getByText('A token is needed').waitFor();
    await asked.getByLabel('Token').fill(made[name] as string);
    await asked.getByRole('button', { name: 'Use this token' }).click();
    return opened;
  }

  it('one is asked for; who made a dataset is told; a token of certain views sees those of these', async () => {
    await store.create({ name: 'owned', features: ['item_stats:sold'] }, { authorization: `Bearer ${made.admin}` });
    const whole = await openWith('admin', '#/datasets/owned@1');
    await whole.page.getByText('ByAda').waitFor();
    await whole.context.close();
    const { page, context } = await openWith('items', '#/datasets');
    const rows = (await rowsOf(page, 'Datasets')).join('\n');
    expect(rows).toContain('daily_1');
    expect(rows).not.toMatch(/ranker|profiles/);
    await page.goto(`${store.server.http}/#/datasets/ranker`);
    await page.getByRole('alert').getByText('Your token may not see this').waitFor();
    await context.close();
    const none = await openWith('users', '#/datasets');
    await none.page.getByText('No dataset is saved yet, or none that your token may see').waitFor();
    expect(await none.page.getByRole('region', { name: 'Code for Python' }).textContent()).toContain('store.create_dataset');
    await none.context.close();
  });
});
