import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/offline/duckdb/engine.ts';
import { compileTable } from '../../src/offline/duckdb/table.ts';
import { readTableState } from '../../src/offline/source-state.ts';
import type { TableDocument } from '../../src/registry/document.ts';

describe('the files of a table', () => {
  let root: string;
  let engine: Engine;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'featherflight-files-'));
    engine = await openEngine({ threads: 1, memory: '256MB', spillDirectory: join(root, 'spill'), spillLimit: '1GB' });
  });
  afterAll(() => engine.close());

  it('are read each once, whatever characters their names have', async () => {
    const names = ['a1.csv', 'a[1].csv', 'a?.csv', 'a*.csv', 'ab.csv', "a'b.csv"];
    for (const name of names) await writeFile(join(root, name), `name\n"${name}"\n`);
    const table: TableDocument = { format: 'csv', paths: ['*.csv'], hivePartitioning: false, options: { header: true } };
    const state = await readTableState(engine, table, root, 'files');
    expect(state.files.map((file) => file.path).sort()).toEqual([...names].sort());
    const sql = `select name from ${compileTable(
      table,
      state.files.map((file) => file.absolutePath),
    )}`;
    const rows = await engine.session(undefined, (session) => session.rows(sql));
    expect(rows.map((row) => row.name as string).sort()).toEqual([...names].sort());
  });
});
