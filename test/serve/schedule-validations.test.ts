/** Scheduled checks run one after another, and one that is refused for want of room is tried again before the next tick. */
import { expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { silentLogger } from '../../src/observe.ts';
import { startValidationSchedule } from '../../src/serve/schedule-validations.ts';

const exhausted = (details: object) => new FeatureStoreError('RESOURCE_EXHAUSTED', 'full', { details: { ...details } });

/** Both kinds at one instant, a few seconds from now, and never again for the rest of the test. */
async function ranOf(refuse: (kind: string, tries: number) => unknown, until: (ran: readonly string[]) => boolean) {
  const at = new Date(Date.now() + 3000);
  const schedule = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
  const ran: string[] = [];
  const tries: Record<string, number> = {};
  let running = 0;
  const checks = startValidationSchedule({
    plan: { parity: { schedule, from: '1h' }, drift: { schedule, from: '1h' } } as never,
    logger: { ...silentLogger, error: (_: object, line: string) => void ran.push(line) },
    validations: {
      async run(input) {
        const { kind } = input as { kind: string };
        tries[kind] = (tries[kind] ?? 0) + 1;
        if (running > 0) throw new Error('two at once');
        const refusal = refuse(kind, tries[kind]);
        if (refusal !== undefined) throw refusal;
        running += 1;
        await new Promise(setImmediate);
        running -= 1;
        ran.push(kind);
        return { id: 'r', result: 'PASS', summary: null } as never;
      },
    },
  });
  await expect.poll(() => until(ran), { timeout: 30_000 }).toBe(true);
  const missed = checks.missed();
  await checks.stop();
  return { ran: ran.toSorted(), missed };
}

it('parity and drift of one schedule both run, also where the first tries find no room', async () => {
  const { ran, missed } = await ranOf(
    (_, tries) => (tries < 3 ? exhausted({ retry_after_seconds: 0.01 }) : undefined),
    ({ length }) => length === 2,
  );
  expect(ran).toEqual(['drift', 'parity']);
  expect(missed).toEqual({ drift: null, parity: null });
}, 60_000);

it('one that takes longer than it may waits for its next tick', async () => {
  const { ran, missed } = await ranOf(
    (kind) => (kind === 'drift' ? exhausted({ retry_after_seconds: 0.01, reason: 'too_long' }) : undefined),
    ({ length }) => length === 2,
  );
  expect(ran).toEqual(['drift could not be checked; the next tick tries again', 'parity']);
  expect(missed).toEqual({ drift: { since: expect.any(String), error: 'full' }, parity: null });
}, 60_000);
