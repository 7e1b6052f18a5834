/** Design section 12: the oracle gives what the table says, and so does the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { History } from '../../src/offline/history.ts';
import { answerNaively } from '../support/answer-naively.ts';
import { answerWithEngine, applyScenario, openTestHistory } from '../support/answer-with-engine.ts';
import type { Answer } from '../support/scenario.ts';
import { type WorkedCase, workedCases } from './worked-cases.ts';

describe('12, by the oracle', () => {
  test.each(workedCases)('12: $name', (worked) => checkCase(worked, answerNaively(worked.scenario)));
});

describe('12, by the engine', () => {
  const root = mkdtempSync(join(tmpdir(), 'worked-cases-'));
  let history: History;
  beforeAll(async () => {
    history = await openTestHistory(root);
  });
  afterAll(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });

  test.each(workedCases)('12: $name', async (worked) => {
    const registry = await applyScenario(history, root, worked.scenario);
    checkCase(worked, await answerWithEngine(history, registry, worked.scenario));
  });
});

function checkCase({ expected }: WorkedCase, { columns }: Answer): void {
  const [values, statuses] = columns.map((column) => column.values);
  expect(values).toEqual(expected.map(({ value }) => value));
  expect(statuses).toEqual(expected.map(({ status }) => status));
}
