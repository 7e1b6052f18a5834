/** Which hypothesis is believed, from numbers of rows alone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Candidate, explainRows } from '../../../../src/validate/leaks/table/explain.ts';

const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED || Math.floor(Math.random() * 2 ** 31));
const candidate = (kind: Candidate['kind'], ...matches: number[]): Candidate => ({ kind, matches: Uint8Array.from(matches) });

it('believes an innocent cause before a leak that explains no more', () => {
  const found = explainRows(3, [candidate('stale', 1, 1, 1), candidate('leak', 1, 1, 1)]);
  expect(found).toEqual({ best: 0, rows: ['stale', 'stale', 'stale'] });
});

it('believes the leak that explains more, and of two the one that reaches less', () => {
  const found = explainRows(4, [candidate('stale', 1, 0, 0, 0), candidate('leak', 1, 1, 1, 1), candidate('leak', 1, 1, 1, 1)]);
  expect(found).toEqual({ best: 1, rows: ['leak', 'leak', 'leak', 'leak'] });
});

it('leaves rows unexplained that leaks match by chance, as often as earlier values do', () => {
  const found = explainRows(4, [candidate('stale', 1, 0, 0, 0), candidate('leak', 0, 1, 0, 0)]);
  expect(found).toEqual({ best: undefined, rows: ['other', 'other', 'other', 'other'] });
});

it('calls no row a leak that something innocent explains as well, unless the leak explains the column', async () => {
  const matches = fc.array(fc.nat(1), { minLength: 12, maxLength: 12 });
  const kind = fc.constantFrom<Candidate['kind']>('stale', 'other', 'leak');
  await fc.assert(
    fc.property(fc.array(fc.tuple(kind, matches), { maxLength: 6 }), (drawn) => {
      const candidates = drawn.map(([of, rows]) => candidate(of, ...rows));
      const { best, rows } = explainRows(12, candidates);
      for (const [row, verdict] of rows.entries()) {
        const matching = candidates.filter((one) => one.matches[row] === 1);
        if (verdict !== 'other') expect(matching.map((one) => one.kind)).toContain(verdict);
        if (verdict !== 'leak') continue;
        expect(candidates[best ?? -1]?.kind).toBe('leak');
        if (candidates[best as number]?.matches[row] !== 1) expect(matching.some((one) => one.kind === 'stale')).toBe(false);
      }
    }),
    { seed },
  );
});
