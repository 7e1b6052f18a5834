/** Transforms over a span of rows: in slices between which others have their turn, and whole or not at all. */
import { expect, test } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import { runTransforms } from '../../../src/offline/answer/compute.ts';
import { repeatInstant } from '../../../src/offline/instants.ts';
import type { RetrievalPlan } from '../../../src/offline/plan.ts';
import { openTransform } from '../../../src/transform/open-transform.ts';
import { transformView } from '../../support/transform-view.ts';

const rows = 30_000;

function run(transform: string, signal?: AbortSignal) {
  const view = transformView({ features: { f: 'int64' }, transform, before: 'let count = 0n' });
  const plan: RetrievalPlan = {
    time: { kind: 'at', us: 7n },
    timezone: undefined,
    lookups: [],
    features: [],
    transforms: [{ view, label: view.name, inputs: [] }],
    request: [],
    outputs: [],
    statuses: false,
  };
  const input = { features: [], times: repeatInstant(7n, rows), request: [], firstRow: 100 };
  return runTransforms(plan, [openTransform(view)], input, signal);
}

test('every row of every slice is run once, in order', async () => {
  const [[values] = []] = await run('({ now }) => ({ f: now.epochMicros + count++ })');
  expect(values).toEqual(Array.from({ length: rows }, (_, row) => 7n + BigInt(row)));
});

test('others run in between, and an abort ends it', async () => {
  const controller = new AbortController();
  const reason = new FeatureStoreError('ABORTED', 'enough');
  setImmediate(() => controller.abort(reason));
  const slow = '() => { let n = 0; for (let i = 0; i < 5_000; i++) n += Math.sin(i); return { f: n > 1e9 ? 1 : 0 }; }';
  await expect(run(slow, controller.signal)).rejects.toBe(reason);
});

test('7.1: a row that fails is named by its number in the whole frame, wherever its slice begins', async () => {
  await expect(run('() => ({ f: ++count === 20_001n ? "x" : 1 })')).rejects.toThrow(
    'transform "clock", row 20100: feature "f": "x" is no int64: answer a whole number',
  );
});
