/** What the audit log keeps of what somebody sends to make or tag a dataset. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { actingAs } from '../../src/audit/acting.ts';
import { openAudit, ownWriter } from '../../src/audit/audit.ts';
import { auditQuerySchema } from '../../src/audit/query.ts';
import { silentLogger } from '../../src/observe.ts';
import { auditDatasets } from '../../src/serve/acts/datasets.ts';
import { everybody, openDatasetActions } from '../support/dataset-doors.ts';
import { openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const storage = mkdtempSync(join(tmpdir(), 'audit-datasets-'));
afterAll(() => rmSync(storage, { recursive: true, force: true }));

test('the line of a request that is refused stays short, whatever is sent', async () => {
  const audit = await openAudit({ storage, audit: { enabled: true, keepDays: 30 } }, ownWriter, silentLogger);
  const shop = await openDatasetShop(5);
  await shop.create({ name: 'ranker' }, userFrame(10));
  const acting = actingAs(audit, { caller: 'some', door: 'flight' });
  const datasets = auditDatasets(acting, await openDatasetActions(shop));
  const { signal } = new AbortController();
  const long = 'x'.repeat(100_000);
  const create = (input: object) => datasets.create(input, everybody, signal, () => {});
  const features = Array.from({ length: 1000 }, () => long);
  await expect(create({ name: 'new', features, service: [{ [long]: long }] })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  await expect(create({ name: 'new', features: { [long]: 1 }, service: long })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  const tag = datasets.tag({ dataset: 'ranker@1', model: long, version: [long] }, everybody);
  await expect(tag).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const { entries } = await audit.read(auditQuerySchema.parse({}));
  await audit.close();
  const word = long.slice(0, 200);
  expect(entries.map(({ action, outcome, details }) => ({ action, outcome, details }))).toEqual([
    { action: 'tag_dataset', outcome: 'refused', details: { model: word, version: null, remove: false } },
    { action: 'create_dataset', outcome: 'refused', details: { features: null, service: word } },
    { action: 'create_dataset', outcome: 'refused', details: { features: Array(100).fill(word), service: null } },
  ]);
});
