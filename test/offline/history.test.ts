/** The engine against the oracle: random definitions, sources on disk, frames and requests (design sections 1 to 5). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import type { History } from '../../src/offline/history.ts';
import { answerNaively } from '../support/answer-naively.ts';
import { answerWithEngine, applyScenario, type EngineAnswer, openTestHistory } from '../support/answer-with-engine.ts';
import { NaiveRefusal } from '../support/naive-instant.ts';
import type { Answer, Scenario, ScenarioSource } from '../support/scenario.ts';
import { drawScenario } from './draw-scenario.ts';
import { enlargeScenario } from './enlarge-scenario.ts';
import { expectSameAnswer } from './expect-same-answer.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 100);
const seed = process.env.FEATHERFLIGHT_TEST_SEED ? Number(process.env.FEATHERFLIGHT_TEST_SEED) : undefined;

const settings = [
  ['sources of one bucket', {}, numRuns],
  ['sources of many buckets', { bucketBytes: 256 }, Math.ceil(numRuns / 3)],
  ['many buckets that memory does not hold', { bucketBytes: 256, cacheBytes: 2000 }, Math.ceil(numRuns / 3)],
] as const;

describe.each(settings)('sections 1 to 5, %s', (_, sizes, runs) => {
  const root = mkdtempSync(join(tmpdir(), 'history-'));
  let history: History;
  beforeAll(async () => {
    history = await openTestHistory(root, sizes);
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test(
    'the engine answers as the oracle does',
    async () => {
      let count = 0;
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          // Few names, so that sources are rewritten under the engine's eyes.
          const scenario = drawScenario(g, `r${count++ % 50}`);
          const expected = attempt(() => answerNaively(scenario));
          const actual = await answerScenario(history, root, scenario);
          try {
            compare(scenario, actual, expected);
          } catch (error) {
            (error as Error).message += `\n${describeScenario(scenario)}`;
            throw error;
          }
        }),
        {
          numRuns: runs,
          seed,
          path: process.env.FEATHERFLIGHT_TEST_PATH,
          endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined,
        },
      );
    },
    60_000 + runs * 1000,
  );
});

describe('sections 1 to 5, tables of thousands of rows', () => {
  const root = mkdtempSync(join(tmpdir(), 'history-'));
  let history: History;
  beforeAll(async () => {
    history = await openTestHistory(root, { bucketBytes: 64 * 1024 });
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test(
    'the engine answers as the oracle does',
    async () => {
      const runs = Math.ceil(numRuns / 15);
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const scenario = enlargeScenario(drawScenario(g, 'large'), 120, 20);
          compare(
            scenario,
            await answerScenario(history, root, scenario),
            attempt(() => answerNaively(scenario)),
          );
        }),
        { numRuns: runs, seed, endOnFailure: true },
      );
    },
    60_000 + numRuns * 1000,
  );
});

test(
  'section 3, 10: the answer is the same to the bit however rows are ordered and dealt to files',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'history-'));
    const history = await openTestHistory(root);
    try {
      await fc.assert(
        fc.asyncProperty(fc.gen(), fc.integer({ min: 1, max: 97 }), async (g, step) => {
          const scenario = drawScenario(g, 'ordered');
          const actual = await answerScenario(history, root, scenario);
          const other = await answerScenario(history, root, reorderSources(scenario, step));
          if (actual instanceof FeatureStoreError) expect(other).toMatchObject({ code: actual.code, message: actual.message });
          else expect(other).toMatchObject({ columns: actual.columns, ties: actual.ties });
        }),
        { numRuns: Math.ceil(numRuns / 2), seed, endOnFailure: true },
      );
    } finally {
      await history.close();
      rmSync(root, { recursive: true, force: true });
    }
  },
  60_000 + numRuns * 1000,
);

/** The same rows in another order, in another number of files. */
function reorderSources(scenario: Scenario, step: number): Scenario {
  const sources = new Map<ScenarioSource, ScenarioSource>();
  for (const { source } of scenario.views) {
    const rows = source.rows.map((row, index) => [(index * step) % 101, row] as const).sort((a, b) => b[0] - a[0]);
    const files = source.hive === undefined ? (source.files % 3) + 1 : 1;
    sources.set(source, { ...source, files, rows: rows.map(([, row]) => row) });
  }
  return { ...scenario, views: scenario.views.map((view) => ({ ...view, source: sources.get(view.source) as ScenarioSource })) };
}

async function answerScenario(history: History, root: string, scenario: Scenario): Promise<EngineAnswer | FeatureStoreError> {
  try {
    return await answerWithEngine(history, await applyScenario(history, root, scenario), scenario);
  } catch (error) {
    if (error instanceof FeatureStoreError) return error;
    throw error;
  }
}

function compare(scenario: Scenario, actual: EngineAnswer | FeatureStoreError, expected: Answer | NaiveRefusal): void {
  if (expected instanceof NaiveRefusal) {
    expect(actual, `the rules refuse this: ${expected.message}`).toMatchObject({ code: 'INVALID_ARGUMENT' });
  } else if (actual instanceof FeatureStoreError) throw actual;
  else expectSameAnswer(scenario, actual, expected);
}

function attempt(work: () => Answer): Answer | NaiveRefusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof NaiveRefusal) return error;
    throw error;
  }
}

/** What makes a failure reproducible by eye: everything but the drawn kinds. */
function describeScenario(scenario: Scenario): string {
  const shown = JSON.stringify(
    scenario,
    (key, value) => {
      if (['kinds', 'keyColumns', 'metadata', 'children'].includes(key)) return undefined;
      if (key === 'columns' && value[0]?.duckType !== undefined)
        return value.map((one: { name: string; duckType: string }) => `${one.name} ${one.duckType}`);
      if (typeof value === 'bigint') return `${value}n`;
      if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
      return Object.is(value, -0) || (typeof value === 'number' && !Number.isFinite(value)) ? `number ${value}` : value;
    },
    1,
  );
  return shown.replaceAll(/\n\s{4,}/g, ' ').slice(0, 20_000);
}
