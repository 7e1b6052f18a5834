/** Drift between saved datasets: what is read of them, how chance is reckoned, and what is refused. */
import { expect, it } from 'vitest';
import { field } from '../../src/arrow/schema.ts';
import { pinDatasets } from '../../src/http/resources/validate-drift.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { datasetsFor } from '../../src/serve/dataset-access.ts';
import { openSavedTable } from '../../src/serve/saved-table.ts';
import { createDriftCheck } from '../../src/validate/drift/check.ts';
import type { DriftReport } from '../../src/validate/drift/report.ts';
import { parseDriftRequest } from '../../src/validate/drift/request.ts';
import { everybody, readerOf } from '../support/dataset-doors.ts';
import { firstUs, frameOf, instant, int64, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const { signal } = new AbortController();
const shop = await openDatasetShop(70);
const { datasets, history } = shop;

function checkWith(registry: RegistryDocument) {
  return createDriftCheck({
    registry: () => registry,
    log: { read: () => expect.unreachable('the log is read') } as never,
    isLogging: true,
    newestEventUs: async () => undefined,
    openFrame: () => expect.unreachable('a frame is opened'),
    openDataset: (reference, most) => openSavedTable({ datasets, engine: history.engine }, reference, most),
  });
}

async function compare(reference: string, current: string, more: object = {}, registry = shop.registry): Promise<DriftReport> {
  const saved = (text: string) => {
    const [dataset, split] = text.split(':');
    return { dataset, split };
  };
  return await checkWith(registry)({ reference: saved(reference), current: saved(current), ...more }, { signal });
}

const found = ({ features }: DriftReport) =>
  Object.fromEntries(features.map(({ feature, result, alarms }) => [feature, alarms.map(({ alarm }) => alarm).join() || result]));
const featureOf = ({ features }: DriftReport, name: string) => features.find(({ feature }) => feature === name);

const halves = { split: { random: { seed: 7, parts: { train: 0.5, test: 0.5 } } } };
await shop.create({ name: 'plain' }, userFrame(700, 70));
await shop.create({ name: 'told', statuses: true, ...halves }, userFrame(700, 70));
await shop.create({ name: 'parts', ...halves }, userFrame(700, 70));
await shop.create({ name: 'ages', features: ['user:age'] }, userFrame(700, 70));
await shop.create({ name: 'cities', features: ['user:city'], full_feature_names: true }, userFrame(700, 70));
await shop.rewrite(900);
await shop.create({ name: 'plain' }, userFrame(700, 70));

it('passes what is the same, and reckons chance by keys and not by rows', async () => {
  const report = await compare('plain@1', 'told');
  expect([report.result, found(report)]).toEqual(['PASS', { age: 'PASS', score: 'PASS', city: 'PASS' }]);
  expect([report.reference, report.current, report.from]).toEqual([
    { kind: 'dataset', dataset: 'plain@1', split: null, from: null, to: null, rows: 700 },
    { kind: 'dataset', dataset: 'told@1', split: null, from: null, to: null, rows: 700 },
    null,
  ]);
  expect(featureOf(report, 'age')?.current).toMatchObject({ n: 700, units: 70, least: 0 });
  expect(found(await compare('plain@1', 'told', { min_keys: 71 }))).toEqual({
    age: 'NO DATA',
    score: 'NO DATA',
    city: 'NO DATA',
  });
});

it('names what moved between two versions, and takes the newest where none is named', async () => {
  const report = await compare('plain@1', 'plain');
  expect(report.current.dataset).toBe('plain@2');
  expect([report.result, found(report)]).toEqual(['FAIL', { age: 'psi,js,ks,mean', score: 'PASS', city: 'PASS' }]);
  expect(featureOf(report, 'age')?.mean_change).toBeGreaterThan(4);
});

it('compares the splits of one dataset', async () => {
  const report = await compare('parts:train', 'parts:test');
  expect(report.result).toBe('PASS');
  expect([report.reference.split, report.current.split]).toEqual(['train', 'test']);
  expect(report.reference.rows + report.current.rows).toBe(700);
});

it('knows the share of defaults by statuses, or by what was counted of all rows; elsewhere it says nothing of them', async () => {
  const rates = (report: DriftReport) => {
    const score = featureOf(report, 'score');
    return [score?.reference.default_rate, score?.current.default_rate, score?.default_rate_change];
  };
  // Every seventh user has no score.
  expect(rates(await compare('told', 'plain'))).toEqual([
    expect.closeTo(1 / 7, 6),
    expect.closeTo(1 / 7, 6),
    expect.closeTo(0, 6),
  ]);
  expect(rates(await compare('told', 'parts:train'))).toEqual([expect.closeTo(1 / 7, 6), null, null]);
  expect(found(await compare('told', 'parts:train')).score).toBe('PASS');
  expect(rates(await compare('told:train', 'told:test'))).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
  // Of a feature without a default none can be one.
  expect(featureOf(await compare('told', 'parts:train'), 'age')?.current.default_rate).toBe(0);
});

it('takes the defaults of the rows that are read for all or none only where that is so of all rows', async () => {
  const rows = Array.from({ length: 700 }, (_, row) => row);
  /** Every seventh user has no score. */
  const save = async (name: string, userOf: (row: number) => number) =>
    await shop.create(
      { name },
      frameOf([
        [field('user_id', int64), rows.map((row) => BigInt(userOf(row)))],
        [field('event_timestamp', instant), rows.map((row) => firstUs + BigInt(row) * 3_600_000_000n)],
      ]),
    );
  await save('most', (row) => (row === 0 ? 1 : 7 * (row % 10)));
  await save('every', (row) => 7 * (row % 10));
  await save('few', (row) => (row === 0 ? 7 : 1 + 7 * (row % 10)));
  const score = async (name: string) => featureOf(await compare('told', name, { sample: 100, min_keys: 2 }), 'score');
  const alarms = async (name: string) => (await score(name))?.alarms.map(({ alarm }) => alarm);
  expect((await score('most'))?.current).toMatchObject({ n: 100, default_rate: 0.99 });
  expect(await alarms('most')).not.toContain('all_default');
  expect((await score('every'))?.current).toMatchObject({ n: 100, default_rate: 1 });
  expect(await alarms('every')).toContain('all_default');
  expect((await score('few'))?.current).toMatchObject({ n: 100, default_rate: 0.01 });
});

it('takes of each split its share where there are more rows than are to be read', async () => {
  const report = await compare('parts', 'plain', { sample: 100, min_keys: 20 });
  expect(report.current.rows).toBe(100);
  expect(report.reference.rows).toBeGreaterThanOrEqual(100);
  expect(report.reference.rows).toBeLessThanOrEqual(101);
  expect(featureOf(report, 'age')?.current.units).toBeGreaterThan(25);
});

it('compares what both have, and says what one of them lacks', async () => {
  const report = await compare('ages', 'plain');
  expect(found(report)).toEqual({ age: 'psi,js,ks,mean' });
  expect(report.summary.skipped).toEqual(
    ['score', 'city'].map((name) => ({ feature: `user:${name}`, reason: 'it is not in ages@1' })),
  );
  const views = shop.registry.views.map((view) => ({
    ...view,
    features: view.features.flatMap((feature) =>
      feature.name === 'city' ? [] : [feature.name === 'age' ? { ...feature, type: 'string' } : feature],
    ),
  }));
  const changed = await compare('plain@1', 'plain@2', {}, { ...shop.registry, views } as RegistryDocument);
  expect(found(changed)).toEqual({ score: 'PASS' });
  expect(changed.summary.skipped).toContainEqual({ feature: 'user:city', reason: 'it is not defined any more' });
  expect(changed.summary.skipped).toContainEqual({ feature: 'user:age', reason: 'it is int32 in plain@1, and string by now' });
});

it.each([
  ['plaim@1', 'plain', {}, 'there is no dataset "plaim"; did you mean "plain"?'],
  ['plain@3', 'plain', {}, 'dataset plain@3 does not exist; there are plain@1, plain@2'],
  ['parts:tain', 'plain', {}, 'parts@1 has no split "tain"; did you mean "train"?'],
  ['plain', 'ages', { features: ['user:city'] }, 'dataset ages@1 has no feature "user:city"; '],
  ['ages', 'cities', {}, 'datasets ages@1 and cities@1 have no feature in common: ages@1 has user:age; cities@1 has user:city'],
])('refuses %s beside %s with %j', async (reference, current, more, message) => {
  await expect(compare(reference, current, more)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(message),
  });
});

it.each([
  [{ reference: { dataset: 'plain' }, reference_from: '2026-01-01T00:00:00Z' }, 'leave out `reference_from` and `reference_to`'],
  [{ current: { dataset: 'plain' }, from: '2026-01-01T00:00:00Z' }, 'leave out `from` and `to`'],
  [{ reference: { dataset: 'plain' }, path: 'a.parquet' }, 'name one reference'],
  [{ reference: { dataset: 'plain' }, current: { dataset: 'a b' } }, 'names no dataset'],
])('refuses %j', async (request, message) => {
  await expect(checkWith(shop.registry)(request, { signal })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(message),
  });
});

it('keeps delete from a version while it is read, and no longer', async () => {
  await shop.create({ name: 'short' }, userFrame(70, 70));
  const table = await openSavedTable({ datasets, engine: history.engine }, { dataset: 'short' }, 100);
  await expect(datasets.remove('short@1', { by: null, force: false })).rejects.toThrow('is being read by 1 stream');
  table.close();
  await compare('short', 'plain');
  await expect(compare('short', 'nothing')).rejects.toThrow('there is no dataset "nothing"');
  await expect(compare('short:train', 'plain')).rejects.toThrow('has no split');
  await datasets.remove('short@1', { by: null, force: false });
});

it('reads the versions that were authorized, whichever are saved before it is its turn', async () => {
  const pins = await Promise.all(
    [everybody, readerOf('user')].map((caller) =>
      pinDatasets(
        parseDriftRequest({ reference: { dataset: 'plain' }, current: { dataset: 'parts', split: 'test' } }),
        async (dataset) => {
          return (await datasetsFor(datasets, caller).find(dataset)).manifest;
        },
      ),
    ),
  );
  await shop.rewrite(1800);
  await shop.create({ name: 'plain' }, userFrame(700, 70));
  const sides = { reference: { dataset: 'plain@2' }, current: { dataset: 'parts@1', split: 'test' } };
  expect(pins).toMatchObject([sides, sides]);
  expect((await checkWith(shop.registry)(pins[0], { signal })).reference).toMatchObject({ dataset: 'plain@2' });
});
