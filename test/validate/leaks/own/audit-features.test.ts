/** Our own training sets: clean as they are, and found out where a look-up is given what lies in the future. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { History } from '../../../../src/offline/history.ts';
import { auditLeaks } from '../../../../src/validate/leaks/audit-leaks.ts';
import { leakRequestSchema } from '../../../../src/validate/leaks/request.ts';
import { type Clips, day, drawClips, drawRows, frameOf, hour, keyColumns, openClips } from '../open-clips.ts';

const numRuns = Math.ceil(Number(process.env.FEATHERFLIGHT_TEST_RUNS || 100) / 20);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED || Math.floor(Math.random() * 2 ** 31));
const features = ['windows:clips_7d', 'windows:seconds_3d', 'windows:category_entropy', 'scores:score'];

const opened: Clips[] = [];
afterAll(() => Promise.all(opened.map((clips) => clips.close())));

async function open(data: Pick<Clips, 'events' | 'daily'>): Promise<Clips> {
  const clips = await openClips(data);
  opened.push(clips);
  return clips;
}

/** A join that forgets what rows wait for: it answers for a time that is later than it was asked about. */
function misjoin(history: History, us: bigint): Pick<History, 'prepare' | 'engine' | 'readState' | 'newestEventUs'> {
  return {
    ...history,
    prepare: async (plan, signal) => {
      const lookups = plan.lookups.map((lookup) => ({ ...lookup, delayUs: lookup.delayUs - us }));
      return await history.prepare({ ...plan, lookups }, signal);
    },
  };
}

describe('features as we make them', () => {
  it('are the same once the future is removed from their sources, and tell how fast they change', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (dataSeed, rowSeed) => {
        const data = drawClips(dataSeed);
        const clips = await open(data);
        const rows = drawRows(clips, rowSeed);
        const findings = await clips.audit(keyColumns(rows), { features, delta: '1d' });
        expect(findings).toMatchObject({ leaking: [], result: 'PASS', rows: 150, of: 150 });
        const [count, , , score] = findings.features;
        expect(count).toMatchObject({ verdict: 'clean', agree: 150, hindsight_rows: null });
        const blind = 'source "events" does not say when its events arrived: it cannot be audited for hindsight';
        expect(count?.text).toBe(blind);
        expect(findings.not_examined).toEqual([{ what: 'hindsight', source: 'events', text: blind }]);
        expect(findings.summary).toContain('not examined: hindsight of events');
        expect(count?.changed_share).toBeGreaterThan(0.3);
        expect(score?.changed_share).toBeGreaterThan(0.9);
        // A row of midnight is created two hours later: who asks before then gets what was not known.
        const early = rows.filter(({ us }) => us % day < 2 * hour).length;
        expect(score?.hindsight_rows).toBe(early);
        expect(score?.verdict).toBe(early === 0 ? 'clean' : 'hindsight');
        const known = await clips.audit(keyColumns(rows), { features: ['scores:score'], as_known: true });
        expect(known.features[0]).toMatchObject({ verdict: 'clean', hindsight_rows: 0, text: '' });
        expect(known).toMatchObject({ not_examined: [], summary: 'no leak in 1 column' });
        expect(readdirSync(join(clips.root, 'audits'))).toEqual([]);
      }),
      { numRuns, seed },
    );
  }, 300_000);

  it('are found to leak where the join gives rows of the future', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (dataSeed, rowSeed) => {
        const clips = await open(drawClips(dataSeed));
        const frame = frameOf(keyColumns(drawRows(clips, rowSeed)));
        const parts = { registry: clips.registry, directory: join(clips.root, 'audits'), signal: new AbortController().signal };
        const request = leakRequestSchema.parse({ features, cuts: 8 });
        const findings = await auditLeaks({ ...parts, history: misjoin(clips.history, BigInt(2 * day)) }, request, frame);
        expect(findings.result).toBe('FAIL');
        expect(findings.leaking).toContain('windows:seconds_3d');
        const leaking = findings.features.find(({ column }) => column === 'windows:seconds_3d');
        expect(leaking?.reach_seconds).toBeGreaterThanOrEqual(0);
        expect(leaking?.examples[0]).toMatchObject({ keys: { user_id: expect.any(String) }, reach_seconds: expect.any(Number) });
        expect(leaking?.text).toMatch(/others once the future is removed/);
      }),
      { numRuns, seed },
    );
  }, 300_000);

  it('are taken in part where there are many rows, the same ones each time', async () => {
    const clips = await open(drawClips(7));
    const rows = drawRows(clips, 7, 1000);
    const findings = await clips.audit(keyColumns(rows), { features, max_rows: 100, cuts: 1 });
    expect(findings.of).toBe(1000);
    expect(findings.rows).toBeGreaterThanOrEqual(100);
    expect(findings.rows).toBeLessThanOrEqual(200);
    expect(await clips.audit(keyColumns(rows), { features, max_rows: 100, cuts: 1 })).toEqual(findings);
  });

  it('give away no label by chance, and a label that one of them holds by name', async () => {
    const clips = await open(drawClips(3));
    const rows = drawRows(clips, 3, 400);
    const honest = await clips.audit(keyColumns(rows), { features });
    const noise = { name: 'clicked', type: 'int64', values: rows.map((_, at) => BigInt((at * 7919) % 5 === 0 ? 1 : 0)) } as const;
    const clean = await clips.audit([...keyColumns(rows), noise], { features, labels: ['clicked'] });
    expect(clean).toMatchObject({ result: honest.result, labels: [], leaking: [] });
    const table = [
      ...keyColumns(rows),
      noise,
      { name: 'copied', type: 'float64', values: noise.values.map(Number) },
      { name: 'coded', type: 'utf8', values: noise.values.map((value, at) => (value === 1n ? `yes ${at % 3}` : `no ${at % 5}`)) },
      { name: 'scored', type: 'float64', values: noise.values.map((value, at) => Number(value) * 10 + (at % 97) / 10.1) },
      {
        name: 'clips_7d',
        type: 'float64',
        values: rows.map(
          ({ user, us }) =>
            clips.events.filter(
              (event) => event.user === user && event.us < us && event.us >= Math.floor((us - 7 * day) / hour) * hour,
            ).length,
        ),
      },
    ] as const;
    const findings = await clips.audit(table, { table: true, labels: ['clicked'] });
    expect(findings.labels.map(({ label, column, how }) => [label, column, how])).toEqual([
      ['clicked', 'copied', 'equal'],
      ['clicked', 'coded', 'determines'],
      ['clicked', 'scored', 'separates'],
    ]);
    expect(findings).toMatchObject({ result: 'FAIL', leaking: ['copied', 'coded', 'scored'] });
    expect(findings.unmapped.map(({ column }) => column)).toEqual(['copied', 'coded', 'scored']);
  });
});

describe('what cannot be audited', () => {
  it('is refused by name, with what to do', async () => {
    const clips = await open(drawClips(5));
    const rows = drawRows(clips, 5, 20);
    const score = { name: 'score', type: 'float64', values: rows.map(() => 1) } as const;
    const [user, time] = keyColumns(rows) as [ReturnType<typeof keyColumns>[number], ReturnType<typeof keyColumns>[number]];
    const refusals = [
      [[time, score], { table: true }, /view "scores" needs join key "user_id", but the frame has no column "user_id"/],
      [
        [user, score],
        { table: true },
        /the time of each row is needed, and there is no column "event_timestamp"; name the column/,
      ],
      [
        [user, time],
        { table: true },
        /no column of the table is known as a feature \(it has user_id, event_timestamp\); say which are with columns/,
      ],
      [
        [user, time, score],
        { table: true, columns: { scor: 'scores:score' } },
        /the table has no column "scor"; did you mean "score"/,
      ],
      [[user, time, score], { table: true, columns: { score: 'scores:scoer' } }, /"scoer".*did you mean "score"/],
      [[user, time], { features, labels: ['clicked'] }, /there is no column "clicked"/],
      [[user, time], {}, /name the features or the service to audit/],
      [[user, time], { service: 'none' }, /no feature service is named "none"/],
      [[user, time], { features, columns: { a: 'scores:score' } }, /give them with table/],
    ] as const;
    for (const [columns, request, message] of refusals) await expect(clips.audit(columns, request)).rejects.toThrow(message);
    await expect(clips.audit(keyColumns([]), { features })).resolves.toMatchObject({ result: 'NO DATA' });
    const timeless = [user, { ...time, values: time.values.map(() => null) }];
    await expect(clips.audit(timeless, { features })).resolves.toMatchObject({ result: 'NO DATA', summary: 'no row has a time' });
  });
});
