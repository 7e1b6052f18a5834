/** Periods of a check of drift: what cannot be looked at is refused by the name of the member. */
import { expect, test } from 'vitest';
import { createDriftCheck } from '../../../src/validate/drift/check.ts';

const { signal } = new AbortController();
const nowUs = BigInt(Date.parse('2026-03-10T12:00:00Z')) * 1000n;
const check = createDriftCheck({
  registry: () => ({ version: 1, project: 'test', entities: [], sources: [], views: [], services: [] }) as never,
  log: { read: () => expect.unreachable('the log is read') } as never,
  isLogging: true,
  newestEventUs: async () => undefined,
  openDataset: () => expect.unreachable('a dataset is opened'),
  openFrame: () => expect.unreachable('a frame is opened'),
  nowUs: () => nowUs,
});

test.each(['from', 'to', 'reference_from', 'reference_to'])('%s in the future is refused by its name', async (name) => {
  const request = { from: '2026-03-10T00:00:00Z', [name]: '2026-03-10T12:00:01Z' };
  await expect(check(request, { signal })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `validate drift: \`${name}\` is 2026-03-10T12:00:01Z, which lies in the future: nothing was served then yet`,
  });
});

test('an empty period is refused', async () => {
  const [earlier, later] = ['2026-03-10T00:00:00Z', '2026-03-10T01:00:00Z'];
  await expect(check({ from: later, to: earlier }, { signal })).rejects.toThrow('the period is empty');
  const reference = { reference_from: later, reference_to: earlier };
  await expect(check(reference, { signal })).rejects.toThrow('the period of reference is empty');
});
