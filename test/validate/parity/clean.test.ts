/** A system in which nothing went wrong: random definitions, data, materializations and pushes raise nothing, and one edited value is a bug. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLmdbStore } from '../../../src/online/lmdb-store.ts';
import type { OnlineAnswer } from '../../../src/online/retrieve/answer.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';
import { askInProcess } from '../../support/ask-online.ts';
import { expectParity } from '../../support/expect-parity.ts';
import { checkParity } from '../../support/online-parity.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 25);

test(
  'section 9: a clean system raises nothing, whatever its definitions; a value that is edited is told as a bug and nothing else is',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'parity-clean-'));
    const history = await openTestHistory(root, { bucketBytes: 4096 });
    const store = openLmdbStore(join(root, 'online'));
    let count = 0;
    let pairs = 0;
    let edited = 0;

    async function check(answer: OnlineAnswer): Promise<void> {
      const done = await expectParity(history, answer, count);
      pairs += done.pairs;
      edited += done.edited ? 1 : 0;
    }

    try {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          await checkParity(g, `p${count++}`, { history, root, store, ask: askInProcess(store, check) });
        }),
        { numRuns, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
      );
      expect(pairs).toBeGreaterThan(numRuns);
      expect(edited).toBeGreaterThan(0);
    } finally {
      await history.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    }
  },
  120_000 + numRuns * 3000,
);
