/** The overview of the page: what cannot be told is never taken for well. */
import { expect, test } from 'vitest';
import type { ViewRow } from '../../../src/ui/api/catalogue.ts';
import type { Overview } from '../../../src/ui/api/overview.ts';
import type { LastChecks, ParityFeature, Result } from '../../../src/ui/api/reports.ts';
import { areasOf } from '../../../src/ui/parts/areas.ts';

const view = (name: string, state: ViewRow['freshness_state'], freshness: string | null = '1h') =>
  ({ name, freshness, freshness_state: state, ttl: null, newest_event: null }) as ViewRow;

const none = { features: [], left_out: 0, not_made: null };

function areaOf(name: string, views: readonly ViewRow[], parity: LastChecks<ParityFeature> = none) {
  const overview: Overview = {
    readAt: new Date().toISOString(),
    catalogue: { entities: [], sources: [], services: [], features: [], views } as unknown as Overview['catalogue'],
    alerts: { data: { checked_at: null, rules: [], alerts: [], not_looked_at: [], left_out: 0 } },
    health: { error: new Error('not asked') as never },
    ...{ parity: { data: parity }, drift: { data: none }, leaks: { data: undefined }, streams: { data: [] } },
    unmaterialized: { data: [] },
  };
  return areasOf(overview).find((area) => area.name === name);
}

const freshnessOf = (...views: readonly ViewRow[]) => areaOf('Freshness', views);

test('freshness that cannot be told is not well, and hides no view that is stale', () => {
  expect(freshnessOf(view('a', 'FRESH'), view('b', null, null))).toMatchObject({
    state: 'well',
    told: '1 of 2 views with an objective',
  });
  expect(freshnessOf(view('a', 'FRESH'), view('b', null))).toMatchObject({
    state: 'hidden',
    told: expect.stringContaining('of 1 it cannot be told'),
  });
  expect(freshnessOf(view('a', 'NEVER'), view('b', null))).toMatchObject({
    state: 'wrong',
    told: expect.stringContaining('of 1 it cannot be told'),
    problems: [{ name: 'a' }],
  });
  expect(freshnessOf(view('a', null, null))).toMatchObject({ state: 'unwatched' });
});

test('parity tells the last check of each feature, and is not well where one had no data', () => {
  const checked = (feature: string, result: Result, report: string) =>
    ({ view: 'v', feature, result, report, checked_at: '2026-03-10T12:00:00Z', causes: {}, n: 5, share_within: 0.5 }) as never;
  const parityOf = (...features: never[]) => areaOf('Parity', [], { ...none, features });
  expect(parityOf(checked('a', 'PASS', 'later'), checked('b', 'FAIL', 'earlier'))).toMatchObject({
    state: 'wrong',
    problems: [{ name: 'v:b', href: '#/reports/earlier?feature=v%3Ab' }],
  });
  expect(parityOf(checked('a', 'PASS', 'r'))).toMatchObject({ state: 'well', told: expect.stringMatching(/^1 feature checked/) });
  expect(parityOf(checked('a', 'PASS', 'r'), checked('b', 'NO DATA', 'r'))).toMatchObject({ state: 'unwatched' });
  expect(parityOf()).toMatchObject({ state: 'unwatched', told: expect.stringContaining('No report is kept') });
  expect(areaOf('Parity', [], { ...none, left_out: 2 })).toMatchObject({ state: 'hidden' });
  const missed = { since: '2026-03-10T12:00:00Z', error: 'nothing is there' };
  const unmade = { severity: 'bad', name: 'Scheduled check of parity', text: 'it could not be made: nothing is there' };
  expect(areaOf('Parity', [], { ...none, not_made: missed })).toMatchObject({ state: 'wrong', problems: [unmade] });
  const well = { ...none, features: [checked('a', 'PASS', 'r')] };
  expect(areaOf('Parity', [], { ...well, not_made: missed })).toMatchObject({ state: 'wrong', problems: [unmade] });
  expect(areaOf('Parity', [], { ...well, not_made: { ...missed, error: null } })).toMatchObject({
    problems: [{ text: 'it could not be made' }],
  });
});
