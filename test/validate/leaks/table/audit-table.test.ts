/** Tables that were made elsewhere: honest ones are clean, and a planted leak is found in exactly the column that has it. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Clips,
  createRandom,
  day,
  drawClips,
  drawRows,
  type EntityRow,
  entropyOf,
  eventsIn,
  keyColumns,
  lastDaily,
  leftEnd,
  openClips,
  start,
  type TableColumn,
} from '../open-clips.ts';

const numRuns = Math.ceil(Number(process.env.FEATHERFLIGHT_TEST_RUNS || 100) / 12);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED || Math.floor(Math.random() * 2 ** 31));

type Values = (clips: Pick<Clips, 'events' | 'daily'>, row: EntityRow) => number | null;

const end = start + 40 * day;
const honest: Readonly<Record<string, Values>> = {
  clips_7d: (clips, { user, us }) => eventsIn(clips, user, leftEnd(us, 7 * day), us).length,
  seconds_3d: (clips, { user, us }) =>
    eventsIn(clips, user, leftEnd(us, 3 * day), us).reduce((sum, { seconds }) => sum + seconds, 0),
  category_entropy: (clips, { user, us }) => entropyOf(eventsIn(clips, user, leftEnd(us, 10 * day), us)),
  score: (clips, { user, us }) => lastDaily(clips, user, (row) => row.created <= us)?.score ?? null,
};

/** How tables leak: the column, its values, and how far the future reaches at most, in microseconds. */
const leaks: Readonly<Record<string, { readonly column: string; readonly values: Values; readonly reachUs: number }>> = {
  'windows that hold the row being predicted': {
    column: 'clips_7d',
    values: (clips, { user, us }) => eventsIn(clips, user, leftEnd(us, 7 * day), us + 1).length,
    reachUs: 1,
  },
  'the aggregate over the whole history': {
    column: 'category_entropy',
    values: (clips, { user }) => entropyOf(eventsIn(clips, user, start, end)),
    reachUs: 30 * day,
  },
  'windows that go on for a day': {
    column: 'seconds_3d',
    values: (clips, { user, us }) =>
      eventsIn(clips, user, leftEnd(us, 3 * day), us + day).reduce((sum, { seconds }) => sum + seconds, 0),
    reachUs: day,
  },
  'windows a week late': {
    column: 'clips_7d',
    values: (clips, { user, us }) => eventsIn(clips, user, leftEnd(us + 7 * day, 7 * day), us + 7 * day).length,
    reachUs: 7 * day,
  },
  'a join without time': {
    column: 'score',
    values: (clips, { user }) => lastDaily(clips, user, () => true)?.score ?? null,
    reachUs: 30 * day,
  },
  'a join to the row after T': {
    column: 'score',
    values: (clips, { user, us }) =>
      clips.daily.filter((row) => row.user === user && row.us > us).sort((a, b) => a.us - b.us)[0]?.score ?? null,
    reachUs: day,
  },
  'a join to the nearest row': {
    column: 'score',
    values: (clips, { user, us }) =>
      clips.daily.filter((row) => row.user === user).sort((a, b) => Math.abs(a.us - us) - Math.abs(b.us - us))[0]?.score ?? null,
    reachUs: day,
  },
};

const opened: Clips[] = [];
afterAll(() => Promise.all(opened.map((clips) => clips.close())));

async function open(data: Pick<Clips, 'events' | 'daily'>): Promise<Clips> {
  const clips = await openClips(data);
  opened.push(clips);
  return clips;
}

function tableOf(clips: Clips, rows: readonly EntityRow[], planted: Readonly<Record<string, Values>> = {}): TableColumn[] {
  const columns = Object.entries({ ...honest, ...planted }).map(([name, values]): TableColumn => {
    return { name, type: 'float64', values: rows.map((row) => values(clips, row)) };
  });
  return [...keyColumns(rows), ...columns];
}

describe('a table that was made elsewhere', () => {
  it('is clean where it was made honestly, and a leak is found in its column alone', async () => {
    const found = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (dataSeed, rowSeed) => {
        const data = drawClips(dataSeed);
        const clips = await open(data);
        const rows = drawRows(clips, rowSeed);
        const clean = await clips.audit(tableOf(clips, rows), { table: true });
        expect(clean).toMatchObject({ result: 'PASS', leaking: [], unmapped: [] });
        expect(clean.features.map(({ verdict }) => verdict)).toEqual(['clean', 'clean', 'clean', 'clean']);
        for (const [name, { column, values, reachUs }] of Object.entries(leaks)) {
          const differing = rows.filter((row) => values(clips, row) !== honest[column]?.(clips, row)).length;
          if (differing < 15) continue;
          const findings = await clips.audit(tableOf(clips, rows, { [column]: values }), { table: true });
          expect({ name, leaking: findings.leaking, result: findings.result }).toEqual({
            name,
            leaking: [column],
            result: 'FAIL',
          });
          const audited = findings.features.find((one) => one.column === column);
          expect(audited?.reach_seconds).toBeLessThanOrEqual(reachUs / 1e6);
          expect(audited?.reach_seconds).toBeGreaterThan(0);
          expect(audited?.leak_rows).toBeGreaterThan(0.5 * differing);
          expect(audited?.examples[0]).toMatchObject({ keys: { user_id: expect.any(String) } });
          found.set(name, (found.get(name) ?? 0) + 1);
        }
      }),
      { numRuns, seed },
    );
    // A leak that no run had rows for would prove nothing.
    expect([...found.keys()].sort()).toEqual(Object.keys(leaks).sort());
    console.info(`planted leaks found: ${JSON.stringify(Object.fromEntries(found))}, FEATHERFLIGHT_TEST_SEED=${seed}`);
  }, 600_000);

  it('is no leak where it is old, of other windows, corrected later or nonsense, and says which', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (dataSeed, rowSeed) => {
        const data = drawClips(dataSeed);
        const corrected = data.daily.map((row, at) => ({ ...row, created: row.us + 5 * day, score: row.score + at + 1 }));
        const clips = await open({ events: data.events, daily: [...data.daily, ...corrected] });
        const rows = drawRows(clips, rowSeed);
        const random = createRandom(rowSeed);
        const first = (user: number, us: number) =>
          clips.daily
            .filter((row) => row.user === user && row.created <= us)
            .sort((a, b) => b.us - a.us || b.created - a.created)[0];
        const base = { score: (_: unknown, { user, us }: EntityRow) => first(user, us)?.score ?? null };
        const audit = async (column: string, values: Values) => {
          const findings = await clips.audit(tableOf(clips, rows, { ...base, [column]: values }), { table: true });
          expect(findings.leaking).toEqual([]);
          return findings.features.find((one) => one.column === column);
        };
        const stale = await audit(
          'clips_7d',
          (_, { user, us }) => eventsIn(clips, user, leftEnd(us - 2 * day, 7 * day), us - 2 * day).length,
        );
        expect(stale).toMatchObject({ verdict: 'stale', result: 'PASS' });
        const lifetime = await audit('category_entropy', (_, { user, us }) => entropyOf(eventsIn(clips, user, start, us)));
        expect(lifetime).toMatchObject({
          verdict: 'unexplained',
          result: 'FAIL',
          text: expect.stringContaining('all events before T'),
        });
        const nonsense = await audit('seconds_3d', () => random(1_000_000) / 7);
        expect(nonsense).toMatchObject({ verdict: 'unexplained', result: 'FAIL' });
        const latest = (user: number, us: number) =>
          clips.daily.filter((row) => row.user === user && row.us <= us).sort((a, b) => b.us - a.us || b.created - a.created)[0];
        const hindsight = await audit('score', (_, { user, us }) => latest(user, us)?.score ?? null);
        expect(hindsight).toMatchObject({ verdict: 'hindsight', result: 'PASS' });
        expect(hindsight?.hindsight_rows).toBeGreaterThan(0);
      }),
      { numRuns, seed },
    );
  }, 600_000);
});
