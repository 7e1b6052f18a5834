/** A token for certain views sees of a report what it tells of these, by the definitions of the report's time. */
import { expect, it } from 'vitest';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { createSeenReports } from '../../src/serve/seen-reports.ts';
import type { ReportEnvelope } from '../../src/validate/reports.ts';

/** `doubled` reads other views in other versions. */
const registryOf = (version: number, ...inputs: string[]) =>
  ({
    ...{ version, project: 'shop', entities: [], sources: [], services: [] },
    views: ['users', 'items'].map((name) => ({ name })),
    onDemandViews: [{ name: 'doubled', inputs: inputs.map((view) => ({ view, features: ['a'] })) }],
  }) as unknown as RegistryDocument;
const documents = [registryOf(1, 'users', 'items'), registryOf(2, 'users')];

const feature = (view: string, result: ReportEnvelope['result'], more: object = {}) => ({ view, feature: 'a', result, ...more });

const report = (id: string, features: readonly object[], more: object = {}) =>
  ({
    ...{ id, kind: 'parity', created_at: `2026-03-10T12:00:0${id}.000000Z`, from: null, to: null, version: 2 },
    ...{ result: 'FAIL', summary: { features: features.length }, features, ...more },
  }) as unknown as ReportEnvelope;

const kept = [
  report('1', [feature('users', 'PASS'), feature('items', 'FAIL')]),
  report('2', [feature('items', 'FAIL')]),
  report('3', [feature('doubled', 'PASS'), feature('users', 'NO DATA')], { version: 1 }),
  report('4', [feature('doubled', 'PASS')], { result: 'PASS' }),
  report('5', [feature('users', 'FAIL', { against: 'items:a' }), feature('gone', 'FAIL')]),
  report('6', [feature('users', 'FAIL')], { kind: 'leaks', labels: [{ label: 'clicked' }], version: undefined }),
  report('7', [feature('users', 'PASS')], { version: 9 }),
];

const { list, read } = createSeenReports({
  reports: {
    list: async ({ narrow } = {}) => kept.flatMap((one) => (narrow === undefined ? one : (narrow(one) ?? []))),
    read: async (id) => kept.find((one) => one.id === id) as ReportEnvelope,
  },
  registry: () => documents[1] as RegistryDocument,
  readDocument: (version) => documents[version - 1],
});

it('sees all without a bound on views', async () => {
  expect(await list({ views: undefined })).toEqual({ reports: kept, left_out: 0 });
  expect(await read('1', undefined)).toEqual(kept[0]);
});

it('sees what is told of its views, with the result of that and no summary of the rest', async () => {
  expect(await read('1', ['users'])).toEqual({
    ...{ id: '1', kind: 'parity', created_at: '2026-03-10T12:00:01.000000Z', from: null, to: null, version: 2 },
    ...{ result: 'PASS', summary: null, left_out: 1, features: [feature('users', 'PASS')] },
  });
  expect(await read('1', ['users', 'items'])).toEqual(kept[0]);
  await expect(read('2', ['users'])).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: 'report 2 tells of other views than this token is for, which are "users"',
  });
});

it('holds an on-demand view to what it read then, and hides views that are gone, pairs with others, labels and unknown versions', async () => {
  const { reports: seen, left_out: hidden } = await list({ views: ['users', 'doubled', 'gone'] });
  expect(hidden).toBe(3);
  expect(seen.map(({ id, result, left_out: left }) => [id, result, left])).toEqual([
    ['1', 'PASS', 1],
    ['3', 'NO DATA', 1],
    ['4', 'PASS', undefined],
    ['6', 'FAIL', 0],
  ]);
  expect(seen.at(-1)).not.toHaveProperty('labels');
});
