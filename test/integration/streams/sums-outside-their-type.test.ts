/** Rule 6.10 on both paths of a server: a sum outside its type is null, counted in the training report and in metrics, and told from an empty one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { field } from '../../../src/arrow/schema.ts';
import { FeatherflightClient } from '../../../src/client/index.ts';
import { runCommand } from '../../cli/run-command.ts';
import { call } from '../../support/http-client.ts';
import { applyRepository, type ServerProcess, startServer } from '../../support/start-server.ts';
import { writeTables } from '../make-store.ts';

const definitions = `
import { entity, eventSource, parquet, streamFeatureView, sum } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const sales = eventSource('sales', {
  history: parquet('data/sales.parquet'), eventTimestamp: 'at', columns: { user_id: 'int64', n: 'int64', price: 'decimal(38,2)' },
});
export const totals = streamFeatureView('totals', {
  entities: [user], source: sales,
  features: { n: sum('n', { window: '7d', default: -1 }), price: sum('price', { window: '7d' }), ever: sum('n', { window: 'lifetime' }) },
});
`;

const names = ['n', 'price', 'ever'] as const;
const references = names.map((name) => `totals:${name}`);
/** Both sums of the first user are outside, of the second those of all time alone, the third has one event and the fourth none. */
const users = [1, 2, 3, 4];
const expected = {
  n: { values: [-1n, 2n ** 63n - 1n, -5n, 0n], statuses: ['NULL_VALUE', 'PRESENT', 'PRESENT', 'PRESENT'] },
  price: { values: [null, '1.00', '-0.01', '0.00'], statuses: ['NULL_VALUE', 'PRESENT', 'PRESENT', 'PRESENT'] },
  ever: { values: [null, null, -5n, 0n], statuses: ['NULL_VALUE', 'NULL_VALUE', 'PRESENT', 'PRESENT'] },
};

let directory: string;
let server: ServerProcess;
let client: FeatherflightClient;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-sums-'));
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'sums' };\n`);
  writeFileSync(join(directory, 'features/sales.ts'), definitions);
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const [largest, price] = [String(2n ** 63n - 1n), `${'9'.repeat(36)}.99`];
  const rows = [
    ...[`(1, ${largest}, ${price}, '${ago(2)}')`, `(1, ${largest}, ${price}, '${ago(3)}')`],
    ...[`(2, ${largest}, 1, '${ago(2)}')`, `(2, ${largest}, ${price}, '${ago(24 * 20)}')`],
    `(3, -5, -0.01, '${ago(5)}')`,
  ];
  const types = 'user_id::bigint as user_id, n::bigint as n, price::decimal(38,2) as price, "at"::timestamptz as "at"';
  await writeTables(directory, [
    ['data/sales.parquet', `select ${types} from (values ${rows.join(', ')}) as t(user_id, n, price, "at")`],
  ]);
  await applyRepository(directory);
  server = await startServer(directory);
  client = new FeatherflightClient({ url: server.http, flightUrl: server.url });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('rule 6.10: online it is counted by view and feature, each time that it is served, and an empty sum is not', async () => {
  const ask = async (entities: readonly number[]) => {
    const { columns } = await client.getOnlineFeatures({ features: references, entities: { user_id: entities } });
    return Object.fromEntries(Object.entries(columns).map(([name, { values, statuses }]) => [name, { values, statuses }]));
  };
  await expect.poll(() => ask(users), { timeout: 30_000 }).toEqual(expected);
  const before = await outsideOnline();
  await ask(users);
  await ask([4, 3]);
  // One entity for all rows counts as often as it is served.
  await ask([1]);
  const after = await outsideOnline();
  expect(names.map((name) => (after[name] ?? 0) - (before[name] ?? 0))).toEqual([2, 2, 3]);
});

it('rule 6.10: the training report counts it by feature, beside the default that stands in', async () => {
  const [key, time] = [
    field('user_id', { id: 'int', bits: 64, signed: true }),
    field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }),
  ];
  // Each user thrice; of a row without a time nothing is known.
  const keys = [...users, ...users, ...users].map(BigInt);
  const now = BigInt(Date.now()) * 1000n;
  const times = keys.map((_, row) => (row >= 8 ? null : now));
  const schema = { fields: [key, time], metadata: new Map() };
  const columns = [columnFromValues(key, keys), columnFromValues(time, times)];
  async function* batches() {
    yield { batch: { schema, length: keys.length, columns }, dictionaries: new Map() };
  }
  const set = await client.getHistoricalFeatures({ features: references }, { schema, batches: batches() });
  for await (const _ of set.batches());
  const counts = set.report().features.map((one) => [one.name, one.null_value, one.out_of_range, one.not_found, one.defaults]);
  expect(counts).toEqual([
    ['n', 2, 2, 4, 6],
    ['price', 2, 2, 4, 0],
    ['ever', 4, 4, 4, 0],
  ]);
});

it('the command line shows it where there is any, within 80 columns', async () => {
  const ask = async (id: number) => {
    writeFileSync(join(directory, 'frame.csv'), `user_id,event_timestamp\n${id},${new Date().toISOString()}\n`);
    const asked = ['--entities', 'frame.csv', '--features', references.join(','), '--out', 'set.csv'];
    return await runCommand(['get-historical-features', ...asked], { directory });
  };
  const outside = await ask(1);
  expect(outside, outside.stderr).toMatchObject({ status: 0 });
  const shown = outside.stdout + outside.stderr;
  expect(shown).toMatch(/^FEATURE +PRESENT +NULL +OUT OF RANGE +NOT FOUND +TOO OLD +DEFAULTS +TIES$/m);
  expect(shown).toMatch(/^n +0 +1 +1 +0 +0 +1 +0$/m);
  expect(shown.split('\n').every((line) => line.length <= 80)).toBe(true);
  const inside = await ask(3);
  expect(inside.stdout + inside.stderr).not.toContain('OUT OF RANGE');
});

/** By feature, as /metrics has it. */
async function outsideOnline(): Promise<Readonly<Record<string, number>>> {
  const { text } = await call(`${server.http}/metrics`);
  const found = text.matchAll(/^featherflight_online_out_of_range_total\{view="totals",feature="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, feature, count]) => [feature, Number(count)]));
}
