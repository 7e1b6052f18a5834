/** StreamRec's user_category_entropy as SQL without any bound of time: at every tick what plain loops over the events before it give. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstantUs } from '../../src/definitions/literal.ts';
import { copyTemplate } from '../../src/demo/copy-template.ts';
import { generateStreamRec } from '../../src/demo/generate-streamrec.ts';
import { createRunTicks } from '../../src/materialize/run-ticks.ts';
import { silentLogger } from '../../src/observe.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import type { SourceDocument } from '../../src/registry/document.ts';
import { loadRepository } from '../../src/registry/load.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-taste-'));
const root = join(scratch, 'streamrec');
const dayMs = 86_400_000;

beforeAll(async () => {
  await copyTemplate('streamrec', root);
  await generateStreamRec(join(root, 'data'), { seed: 5, users: 60, items: 60, events: 4_000, days: 30, impressions: 50 });
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('11: leaks nothing, and is 0 for users of one category', async () => {
  const history = await openTestHistory(root, { ticksDirectory: join(root, 'sql') });
  const bound = await bindRepository(await loadRepository(root), history);
  const registry = { ...bound, version: 1, appliedAt: '2026-11-01T00:00:00Z' };
  const source = registry.sources.find(({ name }) => name === 'user_taste_daily') as SourceDocument;
  const runTicks = createRunTicks({ history, registry: () => registry, logger: silentLogger });
  const range = { startUs: parseInstantUs('2026-01-01T00:00:00Z'), endUs: parseInstantUs('2026-02-02T00:00:00Z') };
  expect(await runTicks({ source: source.name, ...range })).toMatchObject({ ran: 33 });

  const rowsOf = (sql: string) => history.engine.session(undefined, (session) => session.rows(sql));
  const events = await rowsOf(`select user_id, category, event_timestamp from '${root}/data/clicks/*.parquet'`);
  const files = (await history.readState(source)).archived.map((file) => `'${file.absolutePath}'`);
  const computed = await rowsOf(`select * from read_parquet([${files}])`);
  let expected = 0;
  for (let day = 0; day < 33; day++) {
    const tick = Date.UTC(2026, 0, 1) + day * dayMs;
    const counts = new Map<bigint, Map<string, number>>();
    for (const event of events) {
      if ((event.event_timestamp as Date).getTime() >= tick) continue;
      const own = counts.get(event.user_id as bigint) ?? new Map<string, number>();
      counts.set(event.user_id as bigint, own.set(event.category as string, (own.get(event.category as string) ?? 0) + 1));
    }
    const rows = computed.filter((row) => (row.event_timestamp as Date).getTime() === tick);
    expect(rows).toHaveLength(counts.size);
    for (const row of rows) {
      const sizes = [...(counts.get(row.user_id as bigint) as Map<string, number>).values()];
      const all = sizes.reduce((sum, size) => sum + size, 0);
      const entropy = sizes.reduce((sum, size) => sum - (size / all) * Math.log(size / all), 0);
      if (sizes.length === 1) expect(row.user_category_entropy).toBe(0);
      else expect(row.user_category_entropy).toBeCloseTo(entropy, 10);
      expect((row.created_timestamp as Date).getTime()).toBe(tick + 3 * 3_600_000);
      expected += 1;
    }
  }
  expect(expected).toBeGreaterThan(1000);
  await history.close();
});
