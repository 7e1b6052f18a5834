import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchSource, type CsvOptions, csv, type JsonOptions, json, type Table } from '../../../src/index.ts';
import { silentLogger } from '../../../src/observe.ts';
import { type History, openHistory } from '../../../src/offline/history.ts';
import { bindSource } from '../../../src/registry/bind/source.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';

const root = mkdtempSync(join(tmpdir(), 'featherflight-json-'));
let history: History;

beforeAll(async () => {
  const engine = { threads: 1, memory: '256MB', spillDirectory: join(root, 'spill'), spillLimit: '1GB' };
  history = await openHistory({ root, directory: join(root, 'projections'), engine, cacheBytes: 1 << 20, logger: silentLogger });
});
afterAll(async () => {
  await history.close();
  rmSync(root, { recursive: true, force: true });
});

type Bound = { source: SourceDocument; problems: string[] };

const bindTable = async (table: Table, options: object): Promise<Bound> => {
  const problems: string[] = [];
  const definition = batchSource('rows', { table, eventTimestamp: 'at', ...options });
  const source = await bindSource(definition, 'features/rows.ts', history.describeTable, (message) => problems.push(message));
  return { source, problems };
};
const bindJson = async (
  lines: readonly object[],
  options: object = {},
  columnTypes?: JsonOptions['columnTypes'],
): Promise<Bound> => {
  writeFileSync(join(root, 'rows.json'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return await bindTable(json('rows.json', columnTypes === undefined ? {} : { columnTypes }), options);
};
const bindCsv = async (text: string, columnTypes: CsvOptions['columnTypes'], options: object = {}): Promise<Bound> => {
  writeFileSync(join(root, 'rows.csv'), text);
  return await bindTable(csv('rows.csv', { columnTypes }), options);
};
const typeOf = (source: SourceDocument, name = 'at') => source.columns.find((column) => column.name === name)?.type;

describe('times in JSON text (rule 1.2)', () => {
  it('that all carry an offset are instants, and read as such', async () => {
    const { source, problems } = await bindJson([{ at: '2026-03-10T11:59:00Z' }, { at: null }, { at: '2026-03-10T12:00:00Z' }]);
    expect({ type: typeOf(source), problems }).toEqual({ type: 'TIMESTAMP WITH TIME ZONE', problems: [] });
    expect(await history.newestEventUs(source)).toBe(1_773_144_000_000_000n);
  });

  it('without one need a zone', async () => {
    expect((await bindJson([{ at: '2026-03-10 12:00:00' }])).problems).toEqual([
      expect.stringContaining('a TIMESTAMP without a zone'),
    ]);
    const { source, problems } = await bindJson([{ at: '2026-03-10T12:00:00' }], { timezone: 'America/New_York' });
    expect({ type: typeOf(source), problems }).toEqual({ type: 'TIMESTAMP', problems: [] });
    expect(await history.newestEventUs(source)).toBe(1_773_158_400_000_000n);
  });

  it('that DuckDB takes for text are read when they are declared', async () => {
    const lines = [
      { at: '2026-03-10T12:00:00Z', n: 7 },
      { at: '2026-03-10T14:00:00.000001+02:00', n: 8 },
    ];
    expect((await bindJson(lines)).problems).toEqual([expect.stringContaining('declare columnTypes: { at: "timestamp" }')]);
    const { source, problems } = await bindJson(lines, {}, { at: 'timestamp', n: 'string' });
    expect({ at: typeOf(source), n: typeOf(source, 'n'), problems }).toEqual({
      at: 'TIMESTAMP WITH TIME ZONE',
      n: 'VARCHAR',
      problems: [],
    });
    expect(await history.newestEventUs(source)).toBe(1_773_144_000_000_001n);
  });

  it('of both kinds are refused, naming the column', async () => {
    expect(
      (await bindJson([{ at: '2026-03-10T12:00:00Z' }, { at: '2026-03-10 12:00:00' }], {}, { at: 'timestamp' })).problems,
    ).toEqual(['source "rows": column "at" has 1 times with an offset and 1 without one; write all of them in one way']);
  });
});

describe('declared columns of CSV', () => {
  it('keep zeros in front, and times their offset', async () => {
    const { source, problems } = await bindCsv('zip,at\n007,2026-03-10T12:00:00Z\n', { zip: 'string', at: 'timestamp' });
    expect({ zip: typeOf(source, 'zip'), at: typeOf(source), problems }).toEqual({
      zip: 'VARCHAR',
      at: 'TIMESTAMP WITH TIME ZONE',
      problems: [],
    });
  });

  it('are no instants without an offset', async () => {
    expect((await bindCsv('at\n2026-03-10 12:00:00\n', { at: 'timestamp' })).problems).toEqual([
      'source "rows": column "at" has 0 times with an offset and 1 without one; leave it out of columnTypes, and set timezone on the source',
    ]);
  });
});
