/** Ages by two clocks, what an objective says of them, and what people are told. */
import { describe, expect, it } from 'vitest';
import type { ViewDocument } from '../../src/registry/document.ts';
import { explainFreshness, formatAge, measureFreshness } from '../../src/validate/freshness.ts';

const second = 1_000_000n;
const now = 1_700_000_000n * second;
const view = (more: Partial<ViewDocument> = {}) =>
  ({ name: 'v', kind: 'batch', source: 's', freshness: '60s', features: [], ...more }) as unknown as ViewDocument;
const measure = (event: bigint | undefined, processed: bigint | undefined, more?: Partial<ViewDocument>) => {
  const ago = (seconds: bigint | undefined) => (seconds === undefined ? undefined : now - seconds * second);
  return measureFreshness(view(more), { eventUs: ago(event), processedUs: ago(processed) }, now);
};

describe('freshness', () => {
  it.each([
    [60n, 60n, 'FRESH', 'FRESH', 'FRESH'],
    [61n, 0n, 'STALE', 'STALE', 'FRESH'],
    [0n, 61n, 'STALE', 'FRESH', 'STALE'],
    [undefined, 61n, 'NEVER', 'NEVER', 'STALE'],
    [0n, undefined, 'NEVER', 'FRESH', 'NEVER'],
    [-5n, -5n, 'FRESH', 'FRESH', 'FRESH'],
  ] as const)('of an event %s s ago, processed %s s ago, at 60s is %s', (event, processed, state, byEvent, byProcessing) => {
    const found = measure(event, processed);
    expect([found.state, found.event.state, found.processing.state]).toEqual([state, byEvent, byProcessing]);
    expect(found.event.seconds).toBe(event === undefined ? null : Math.max(0, Number(event)));
    expect(found.objective_seconds).toBe(60);
  });

  it('is measured without an objective too, and then neither good nor bad', () => {
    const found = measure(5n, undefined, { freshness: undefined });
    expect(found).toMatchObject({ objective: null, objective_seconds: null, state: null });
    expect(found.event).toEqual({ at: '2023-11-14T22:13:15.000000Z', seconds: 5, state: null });
    expect(found.processing).toEqual({ at: null, seconds: null, state: null });
    expect(explainFreshness(found, 'processing')).toBeUndefined();
  });

  it('tells people the age, the objective and what to do', () => {
    const text = (found: ReturnType<typeof measure>) => [explainFreshness(found, 'event'), explainFreshness(found, 'processing')];
    expect(text(measure(93_600n, 7261n))).toEqual([
      'its newest event, of 2023-11-13T20:13:20.000000Z, is 26h old: featherflight materialize-incremental v, or look at what writes source s where that brings nothing newer; the objective is 60s',
      'it was materialized last up to 2023-11-14T20:12:19.000000Z, 2h 1m ago: featherflight materialize-incremental v, and look in the log why its schedule does not; the objective is 60s',
    ]);
    expect(text(measure(undefined, undefined))).toEqual([
      'no event of it was ever written: featherflight materialize-incremental v; the objective is 60s',
      'it was never materialized: featherflight materialize-incremental v; the objective is 60s',
    ]);
    expect(text(measure(75n, 75n, { kind: 'stream' }))).toEqual([
      'its newest event, of 2023-11-14T22:12:05.000000Z, is 75s old: featherflight source list s tells whether events wait; where none do, look at what writes them; the objective is 60s',
      'all that its log had was applied last at 2023-11-14T22:12:05.000000Z, 75s ago: featherflight source list s tells why; the objective is 60s',
    ]);
    expect(text(measure(undefined, undefined, { kind: 'stream' }))[1]).toBe(
      'not all of its features are filled yet, or nothing is applied: featherflight source list s; the objective is 60s',
    );
    expect(text(measure(0n, 0n))).toEqual([undefined, undefined]);
  });

  it.each([
    [0, '0s'],
    [119.9, '119s'],
    [120, '2m'],
    [7199, '119m 59s'],
    [7200, '2h'],
    [172_799, '47h 59m'],
    [200_000, '2d 7h'],
  ])('%s seconds are %s', (seconds, text) => expect(formatAge(seconds)).toBe(text));
});
