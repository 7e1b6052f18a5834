/** Rows on their way into files: the columns that are refused before any is written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { field } from '../../src/arrow/schema.ts';
import { numberedRelationOf } from '../../src/dataset/relation.ts';
import { checkFields, createRowWriter } from '../../src/dataset/write-rows.ts';
import { openEngine } from '../../src/offline/duckdb/engine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-rows-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const number = field('number', { id: 'float', bits: 64 });
const text = field('text', { id: 'utf8' });

describe('createRowWriter', () => {
  it.each([[['all']], [['a', 'b', 'c']]])(
    'keeps the order of the frame in blocks of 16,384 rows, and spills: %j',
    async (parts) => {
      const draft = mkdtempSync(join(scratch, 'draft-'));
      const writer = await createRowWriter(draft, [number, text], parts, '12MB');
      const rows = 200_000;
      for (let at = 0; at < rows; at += 10_007) {
        const some = Array.from({ length: Math.min(10_007, rows - at) }, (_, row) => at + row);
        const columns = [
          columnFromValues(number, some),
          columnFromValues(
            text,
            some.map((row) => `${'text '.repeat(20)}${row}`),
          ),
        ];
        await writer.write(
          columns,
          Uint8Array.from(some, (row) => (row * 7) % parts.length),
        );
      }
      const splits = await writer.finish();
      expect(splits.reduce((sum, split) => sum + split.rows, 0)).toBe(rows);
      const spillDirectory = join(scratch, 'spill');
      const engine = await openEngine({ threads: 2, memory: '512MB', spillDirectory, spillLimit: '1GB' });
      try {
        await engine.session(undefined, async (session) => {
          const [wrong] = await session.rows(
            `select count(*) as n from ${numberedRelationOf(draft, splits)} where number <> __row or text not like '% ' || __row`,
          );
          expect(wrong?.n).toBe(0n);
          for (const { files, rows: of } of splits) {
            const groups = await session.rows(
              `select distinct row_group_id as id, row_group_num_rows as n from parquet_metadata('${join(draft, files[0]?.path as string)}') order by id`,
            );
            const sizes = groups.map(({ n }) => Number(n));
            expect(sizes.slice(0, -1).every((size) => size === 16_384)).toBe(true);
            expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(of);
          }
        });
      } finally {
        engine.close();
      }
    },
  );

  it('refuses columns that Parquet does not hold, and names that its readers take for one', () => {
    const map = field('tags', { id: 'map', keysSorted: false }, [field('entries', { id: 'struct' }, [text, text])]);
    const refused = (fields: Parameters<typeof checkFields>[0], parts = ['all']) => expect(() => checkFields(fields, parts));
    refused([map]).toThrow('column "tags" is');
    refused([number, field('Number', number.type)]).toThrow('a dataset cannot hold both "number" and "Number"');
    for (const name of ['__row', '__ROW', 'file_row_number'])
      for (const parts of [['all'], ['a', 'b']])
        refused([field(name, number.type)], parts).toThrow(`a dataset cannot hold a column "${name}"`);
    checkFields([number, text], ['a', 'b']);
  });
});
